"""``manage.py nav_reconcile PERIOD``: VAT per code in the ledger, in the documents, and at the NAV."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.errors import ErpError
from erp.fields import dump_json
from finance.nav.errors import NavError
from finance.services.reporting.reconciling import Reconciliation, reconcile


class Command(BaseCommand):
    help = (
        "Compares VAT per code in the ledger, in the documents and in what the NAV holds as DONE. Exit code 1: they "
        "differ by more than what was issued in the last 24 hours; 2: the NAV could not be asked."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("period", help="by the day of issue: 2026-03, 2026-Q1, 2026 or 2026-03-10")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = reconcile(options["period"], progress=self._progress)
        except ErpError as error:
            raise CommandError(error.message, returncode=2) from error
        except NavError as error:
            raise CommandError(f"the NAV cannot be asked: {error}", returncode=2) from error
        self.stdout.write(dump_json(found.as_json()) if options["json"] else self._text(found))
        if not found.is_clean:
            sys.exit(1)

    def _progress(self, done: int, of: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\rread back {done} of {of} requests", ending="\n" if done == of else "")

    def _text(self, found: Reconciliation) -> str:
        lines = [
            f"VAT of documents issued from {found.first} to {found.last}, in HUF",
            f"{'code':<14} {'ledger':>16} {'documents':>16} {'NAV':>16}",
        ]
        lines += [
            f"{row['code']:<14} {row['ledger']:>16,.2f} {row['documents']:>16,.2f} {row['nav']:>16,.2f}"
            for row in found.codes
        ]
        for title, rows in (
            ("pending, less than 24 hours old", found.pending),
            ("refused", found.refused),
            ("missing", found.missing),
            ("different", found.differences),
        ):
            lines += ["", f"{title}: {len(rows)}"] + [f"  {self._row(row)}" for row in rows]
        lines += ["", "They agree." if found.is_clean else "They do NOT agree."]
        return "\n".join(lines)

    def _row(self, row: dict[str, Any]) -> str:
        number, rest = row["number"], {k: v for k, v in row.items() if k != "number" and v not in (None, "", [])}
        return f"{number}: " + ", ".join(f"{name} {value}" for name, value in rest.items())
