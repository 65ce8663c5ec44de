"""``manage.py verify_books``: finds what was altered after it was posted or issued."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from erp.fields import dump_json
from finance.services import sealing
from finance.services.verifying import Verification


class Command(BaseCommand):
    """Exit code 1 when something was altered."""

    help = "Verifies the hash chains of journal entries and issued documents and names the first altered row."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--full", action="store_true", default=None,
            help="from the first entry on; otherwise large books are verified from the last verified seal",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify with progress on a terminal, print what was found."""
        with tqdm(disable=not sys.stderr.isatty(), unit=" documents") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            found = sealing.verify(full=options["full"], progress=show)
        if options["json"]:
            self.stdout.write(dump_json(found.as_json()))
        else:
            self._print(found)
        sys.exit(1 if found.damages else 0)

    def _print(self, found: Verification) -> None:
        since = "from the beginning" if found.is_full else f"since the seal verified last ({found.from_no})"
        self.stdout.write(f"Verified {found.entries} entries and {found.documents} documents {since}.")
        self.stdout.write(f"The ledger's chain ends at {found.last_no}, {found.last_hash or 'empty'}.")
        if not found.first:
            self.stdout.write("Nothing was altered.")
            return
        self.stdout.write(f"ALTERED: {found.first.message}")
        for damage in found.damages[1:]:
            self.stdout.write(f"  also: {damage.message}")
        self.stdout.write("Compare with a backup; the ledger's copy in Admin may still hold what was posted.")
