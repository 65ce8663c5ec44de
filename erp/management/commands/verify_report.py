"""``manage.py verify_report FILE``: whether a report was signed here and not changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from erp.board.report import InvalidReport, public_key, verify_report


class Command(BaseCommand):
    """Exit code 1 when the report is not what was signed."""

    help = "Verifies a signed consistency report; without a file it prints this installation's public key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--public-key", metavar="HEX", help="the key that must have signed it (default: ours)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify."""
        if options["file"] is None:
            self.stdout.write(public_key())
            return
        try:
            report = verify_report(json.loads(options["file"].read_text(encoding="utf-8")), options["public_key"])
        except (OSError, json.JSONDecodeError, InvalidReport) as error:
            raise CommandError(f"NOT VALID: {error}") from error
        self.stdout.write(
            f"Valid: {report['company']}, {report['since']} to {report['until']}, "
            f"{len(report['runs'])} runs, {len(report['incidents'])} incidents, {len(report['repairs'])} repairs."
        )
