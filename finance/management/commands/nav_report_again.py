"""``manage.py nav_report_again``: report to the live system what only a test system or the stand-in was told."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from finance.services.reporting.connection import endpoint
from finance.services.reporting.switching import LIVE, report_again


class Command(BaseCommand):
    help = (
        "After ERP_NAV_ENDPOINT was set to live: documents that were reported to the stand-in or the test system are "
        "reported to the live one. Documents that were never meant for the tax office are left out by "
        "ERP_NAV_LIVE_SINCE, the first day that counts."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if endpoint() != LIVE:
            raise CommandError("Nothing is done: this installation does not report to the live system")
        numbers = report_again()
        self.stdout.write(f"{len(numbers)} documents will be reported to the live system.")
