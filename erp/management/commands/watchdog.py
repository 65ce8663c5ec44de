"""``manage.py watchdog``: raise alerts for old copies, a dead beat or broker, stuck relays."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from erp import watchdog


class Command(BaseCommand):
    """Started by the supervisor; ``--once`` looks once."""

    help = "Reads PostgreSQL and raises alerts; needs neither Celery nor Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="look once and print what is wrong as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Watch until stopped."""
        if options["once"]:
            self.stdout.write(json.dumps({"wrong": watchdog.look()}))
        else:
            watchdog.run()
