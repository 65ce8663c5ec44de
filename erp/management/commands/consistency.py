"""``manage.py consistency``: how old every copy is, now."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from erp.alerts import last_scrub
from erp.ownership import MODULE_LABELS
from erp.replication.positions import PairState, all_pairs


class Command(BaseCommand):
    """The consistency board on a terminal."""

    help = "Shows per (entity, reader): window, age, worst age of the last hour, position, pending rows, attachment."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the board."""
        pairs = all_pairs()
        if options["json"]:
            scrub = last_scrub()
            document = {"pairs": [{**p.as_json(), "last_scrub": scrub} for p in pairs]}
            self.stdout.write(json.dumps(document, indent=2, default=str))
            return
        self.stdout.write(
            f"{'Entity':<12} {'Reader':<11} {'Window':>8} {'Age':>9} {'Worst 1 h':>10} "
            f"{'Position':>9} {'Pending':>8}  State"
        )
        for pair in pairs:
            self.stdout.write(self._line(pair))

    def _line(self, p: PairState) -> str:
        window = f"{p.window_s} s" if p.window_s else "instant"
        age = "unknown" if p.age_s is None else f"{p.age_s:.1f} s"
        worst = "" if p.worst_age_s is None else f"{p.worst_age_s:.1f} s"
        state = "ok"
        if not p.attached:
            state = f"DETACHED: {p.detached_reason}"
        elif p.breached:
            state = "OLDER THAN ITS WINDOW"
        position = "" if p.position is None else str(p.position)
        reader = MODULE_LABELS[p.reader]
        return f"{p.entity:<12} {reader:<11} {window:>8} {age:>9} {worst:>10} {position:>9} {p.pending:>8}  {state}"
