"""``manage.py nav_report_again``: report what only another system was told, or what the NAV holds no longer."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.errors import ErpError
from finance.nav.errors import NavError
from finance.services.reporting.connection import connect, endpoint
from finance.services.reporting.switching import LIVE, report_again, report_lost


class Command(BaseCommand):
    help = (
        "After ERP_NAV_ENDPOINT was set to live: documents that were reported to the stand-in or the test system are "
        "reported to the live one. Documents that were never meant for the tax office are left out by "
        "ERP_NAV_LIVE_SINCE, the first day that counts. With numbers: of these, those that were reported and that the "
        "NAV, asked now, does not hold."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("numbers", nargs="*", help="of documents that the nightly check misses at the NAV")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["numbers"]:
            try:
                lost = report_lost(options["numbers"], connect())
            except ErpError as error:
                raise CommandError(error.message, returncode=2) from error
            except NavError as error:
                raise CommandError(f"the NAV cannot be asked: {error}", returncode=2) from error
            self.stdout.write(f"Will be reported again: {', '.join(lost) or 'none, the NAV holds them'}.")
            return
        if endpoint() != LIVE:
            raise CommandError("Nothing is done: this installation does not report to the live system")
        numbers = report_again()
        self.stdout.write(f"{len(numbers)} documents will be reported to the live system.")
