"""``manage.py ownership``: print the ownership map; ``--check`` compares it with what PostgreSQL grants."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from erp import ownership
from erp.ownership_check import check_ownership


class Command(BaseCommand):
    """Exit code 1 when the catalogue differs from the map."""

    help = "Prints who owns and who reads each entity; --check compares the map with PostgreSQL's catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--check", action="store_true", help="compare the map with what PostgreSQL grants")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the map, or the differences."""
        if options["check"]:
            self._check(options["json"])
        elif options["json"]:
            entities = [asdict(e) for e in ownership.ENTITIES]
            internal = {m: [asdict(t) for t in tables] for m, tables in ownership.INTERNAL.items()}
            self.stdout.write(json.dumps({"entities": entities, "internal": internal}, indent=2))
        else:
            self._print_map()

    def _print_map(self) -> None:
        labels = ownership.MODULE_LABELS
        self.stdout.write(f"{'Entity':<13} {'Owner':<24} {'Readers':<32} Window")
        for e in ownership.ENTITIES:
            owner = " -> ".join(labels[w] for w in e.writers)
            readers = ", ".join(labels[r] for r in e.readers)
            window = f"{e.window_s} s" if e.window_s else "instant"
            self.stdout.write(f"{e.name:<13} {owner:<24} {readers:<32} {window}")

    def _check(self, as_json: bool) -> None:
        found = check_ownership()
        if as_json:
            self.stdout.write(json.dumps({"clean": not found, "differences": [asdict(d) for d in found]}, indent=2))
        else:
            for difference in found:
                self.stdout.write(str(difference))
            self.stdout.write(
                f"{len(found)} differences between PostgreSQL and the ownership map."
                if found
                else "PostgreSQL enforces exactly the ownership map."
            )
        if found:
            sys.exit(1)
