"""``manage.py nav_xml NUMBER``: the report of an issued document, as it would be sent."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.errors import ErpError
from finance.nav.schema import SchemaViolation
from finance.services.reporting.connection import schema
from finance.services.reporting.documents import report_xml


class Command(BaseCommand):
    help = "Prints the InvoiceData XML of an issued invoice, credit note or cancellation; checks it against the XSD."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("number", help="number of the document, e.g. INV-2026-000001")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            xml = report_xml(options["number"])
            checks = schema()
            checks.check(xml)
        except SchemaViolation as error:
            raise CommandError(f"the report breaks the XSD: {'; '.join(error.errors)}") from error
        except ErpError as error:
            raise CommandError(error.message) from error
        self.stdout.write(xml.decode())
        if not checks.is_checked:
            self.stderr.write(checks.why_unchecked)
