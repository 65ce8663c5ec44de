"""``manage.py replay FILE``: send a retail history through the real write paths."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from erp.errors import Refused
from erp.fields import dump_json
from storefront.services.replay.assumptions import Assumptions
from storefront.services.replay.running import Outcome, ReplayBusy, replay
from storefront.services.replay.source import Record, SourceError

GOES_ON = "What was booked stays; run the same command again to go on."


class Command(BaseCommand):
    """Can be interrupted and run again without doubling anything."""

    help = "Replays a retail history: orders, shipments, invoices, returns, adjustments. '-' reads standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("file", help="csv or csv.gz, or - for standard input")
        parser.add_argument("--limit", type=int, help="only the first so many whole invoices")
        parser.add_argument("--cost-ratio", default="0.6", help="unit cost of opening stock / base price (default 0.6)")
        parser.add_argument("--vat-code", default="ATK", help="VAT code of every line (default ATK, outside the scope)")
        parser.add_argument("--currency", default="GBP", help="currency of every document (default GBP)")
        parser.add_argument("--rate", help="base currency for one unit (default 1 for the base currency, else 320)")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay and print the control totals."""
        assumed = self._assumptions(options)
        is_terminal = sys.stderr.isatty()

        def watch(records: Iterable[Record]) -> Iterable[Record]:
            return tqdm(records, desc="reading", unit=" rows", disable=not is_terminal)

        with tqdm(desc="booking", unit=" invoices", disable=not is_terminal) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                outcome = replay(options["file"], assumed, limit=options["limit"], watch=watch, progress=progress)
            except (SourceError, ReplayBusy) as error:
                raise CommandError(str(error)) from error
            except Refused as error:
                raise CommandError(f"{error}. {GOES_ON}") from error
            except KeyboardInterrupt:
                raise CommandError(f"Interrupted. {GOES_ON}") from None
        self._print(outcome, assumed, options["json"])
        if outcome.problems:
            raise CommandError("The history does not tie out: " + "; ".join(outcome.problems))

    def _assumptions(self, options: dict[str, Any]) -> Assumptions:
        same = options["currency"] == settings.BASE_CURRENCY
        try:
            return Assumptions(
                currency=options["currency"],
                cost_ratio=Decimal(options["cost_ratio"]),
                vat_code=options["vat_code"],
                rate=Decimal(options["rate"] or ("1" if same else "320")),
            )
        except InvalidOperation as error:
            raise CommandError("--cost-ratio and --rate take decimal numbers, e.g. 0.6") from error

    def _print(self, outcome: Outcome, assumed: Assumptions, as_json: bool) -> None:
        result = outcome.as_json()
        sentences = assumed.sentences(str(settings.BASE_CURRENCY))
        if as_json:
            self.stdout.write(dump_json({**result, "assumptions": sentences}))
            return
        for sentence in sentences:
            self.stdout.write(f"Assumed: {sentence}")
        for name in ("rows", "invoices", "orders", "booked", "repeated", "rejected", "net_total", "booked_net",
                     "trial_balance", "chain_damages", "subledger_differences", "vat_differences", "stock_difference",
                     "waiting", "peak_mb", "seconds"):  # fmt: skip
            self.stdout.write(f"{name:<22} {result[name]}")
        for disposition, rows in result["by_disposition"].items():
            self.stdout.write(f"  {disposition:<28} {rows} rows")
        for rejection in result["rejections"]:
            self.stdout.write(f"  rejected {rejection['invoice']}: {'; '.join(rejection['problems'])}")
