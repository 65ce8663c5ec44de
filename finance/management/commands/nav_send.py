"""``manage.py nav_send``: report now what waits, after an outage or before a deadline."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.errors import ErpError
from finance.services.reporting.draining import drain, open_reports


class Command(BaseCommand):
    help = (
        "Sends reports that wait and asks about those under way, past the pauses after failures, until none is open. "
        "Exit code 1: some are still open; 2: reporting is not set up. Workers may run at the same time."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--for-s", type=float, default=600.0, help="give up after so many seconds (default 600)")
        parser.add_argument("--every-s", type=float, default=3.0, help="seconds between two rounds (default 3)")

    def handle(self, *args: Any, **options: Any) -> None:
        ends_at = time.monotonic() + options["for_s"]
        self.stdout.write(f"{open_reports()} report(s) are open")
        try:
            while (left := drain(passes=1)) and time.monotonic() + options["every_s"] < ends_at:
                self.stdout.write(f"{left} left")
                self.stdout.flush()
                time.sleep(options["every_s"])
        except ErpError as error:
            raise CommandError(error.message, returncode=2) from error
        self.stdout.write(f"{left} report(s) are still open" if left else "Everything is reported or needs a person.")
        if left:
            sys.exit(1)
