"""``manage.py recount_stock``: set stock to its moves and reservations where its figures were altered or lost."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from erp.actor import Actor
from erp.errors import ErpError, Refused
from erp.scrubber.outcome import EXIT_CODES
from erp.scrubber.repair import run_again
from logistics.services.recounting import Recounted, recount_stock

CHECKS = ["stock_balance", "sales_orders"]


class Command(BaseCommand):
    """Exit code as ``manage.py scrub`` of the checks that follow; 2 when nothing could be recounted."""

    help = (
        "Sets on hand to the sum of the stock ledger and reserved to the live reservations, for products where they "
        "differ; puts back lost stock rows, and lost moves that Finance has. Nothing is posted to Finance. What lies "
        "on the shelf is counted on a count sheet, not here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--product", help="comma-separated product ids; default: all that differ")
        parser.add_argument("--warehouse", help="set only what lies in the warehouse with this code")
        parser.add_argument("--reason", help="why; goes into the change journal (not needed with --dry-run)")
        parser.add_argument("--by", default="", help="who; goes into the change journal (default: the system user)")
        parser.add_argument("--dry-run", action="store_true", help="tell what would change, write nothing")
        parser.add_argument("--no-check", action="store_true", help="do not run the checks again afterwards")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recount, tell what changed, check again."""
        try:
            found = self._recount(options)
            run = None if options["dry_run"] or options["no_check"] else run_again(CHECKS, wait_s=60)
        except (ErpError, Error) as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": str(error)}))
            raise CommandError(str(error), returncode=EXIT_CODES["failed"]) from error
        checks = {r.name: r.status for r in run.results.all()} if run and run.finished_at else {}
        if options["json"]:
            document = {"dry_run": options["dry_run"], "products": [asdict(each) for each in found], "checks": checks}
            self.stdout.write(json.dumps(document))
        else:
            self._print(found, checks, dry_run=options["dry_run"])
            if run and not run.finished_at:
                self.stdout.write(f"Another scrubber run is under way; the workers do run {run.pk} after it.")
        code = EXIT_CODES[run.status if run.finished_at else "failed"] if run else int(any(f.refused for f in found))
        if code:
            sys.exit(code)

    def _recount(self, options: dict[str, Any]) -> list[Recounted]:
        with tqdm(unit=" products", disable=not sys.stderr.isatty()) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return recount_stock(
                _keys(options["product"]), actor=Actor(None, options["by"] or getpass.getuser()),
                reason=options["reason"] or ("dry run" if options["dry_run"] else ""),
                warehouse=options["warehouse"], dry_run=options["dry_run"], progress=show,
            )  # fmt: skip

    def _print(self, found: list[Recounted], checks: dict[str, str], *, dry_run: bool) -> None:
        for done in found:
            self.stdout.write(f"Product {done.product_id}: {done.refused or _words(done)}.")
        if not found:
            self.stdout.write("Stock is what moves and reservations say; nothing to set.")
        elif dry_run:
            self.stdout.write("Nothing was written.")
        for name, status in checks.items():
            self.stdout.write(f"Check {name} again: {status}.")


def _words(done: Recounted) -> str:
    parts = [
        f"{place['warehouse']} {name.replace('_', ' ')} {place[name][0]} → {place[name][1]}"
        for place in done.places
        for name in ("on_hand", "reserved")
        if place[name][0] != place[name][1]
    ]
    if done.rows_restored:
        parts.append(f"{done.rows_restored} stock rows put back")
    if done.moves_restored:
        parts.append(f"{done.moves_restored} moves put back from Finance")
    if done.last_seq:
        parts.append(f"number of the last move {done.last_seq[0]} → {done.last_seq[1]}")
    parts += [f"order {line['order_id']} line {line['line_no']} reserved {line['reserved']}" for line in done.lines]
    if done.released:
        parts.append(f"{done.released} pieces released that no order needs")
    if done.waiting:
        parts.append(f"orders that wait for goods now: {', '.join(done.waiting)}")
    return ", ".join(parts)


def _keys(text: str | None) -> list[int] | None:
    if not text:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise Refused(f"--product takes whole numbers separated by commas, not {text!r}") from error
