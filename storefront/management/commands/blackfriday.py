"""``manage.py blackfriday``: drive the running shop like a crowd, and say what it showed, took and sold."""

from __future__ import annotations

import ipaddress
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from erp.supervisor.record import read_record
from storefront.drill.report import render
from storefront.drill.running import MAX_MINUTES, MAX_SHOPPERS, Drill, climb, run


class Command(BaseCommand):
    help = "Shoppers over HTTP on this machine, while goods come in and products are edited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shoppers", type=int, default=10, help="at once; with --steps the first step's")
        parser.add_argument("--minutes", type=float, default=1.0, help="with --steps of each step")
        parser.add_argument("--steps", action="store_true", help="double the shoppers until p99 > 2 s or an error")
        parser.add_argument("--think", type=float, default=1.0, help="mean pause between two pages, in seconds")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--url", default="", help="the shop; default: the one that `manage.py up` runs")
        parser.add_argument("--report", type=Path, help="HTML file to write; default: below the home, in reports/")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        drill = self._drill(options)

        def say(line: str) -> None:
            self.stderr.write(line)

        if options["steps"]:
            steps, log = climb(drill, say)
            held = [s for s in steps if s["held"]]
            figures = {**(held[-1] if held else steps[-1]), "steps": steps, "last_step_held": bool(held)}
        else:
            figures, log = run(drill, say)
            steps = []
        at = datetime.now(UTC)
        path = options["report"] or settings.ERP_HOME / "reports" / f"blackfriday-{at:%Y%m%d-%H%M%S}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(figures, log, steps, at), encoding="utf-8")
        figures["report"] = str(path)
        self.stdout.write(json.dumps(figures, indent=None if options["json"] else 1))
        if not figures["passed"]:
            sys.exit(1)

    def _drill(self, options: dict[str, Any]) -> Drill:
        record = read_record(settings.ERP_HOME)
        base = options["url"] or (record.url if record else "")
        if not base:
            raise CommandError("nothing is running here: start it with `make run`, or name it with --url")
        host = urlsplit(base).hostname or ""
        if host != "localhost" and not _is_loopback(host):
            raise CommandError(f"the drill drives a shop on this machine only, not on {host or base}")
        if not (1 <= options["shoppers"] <= MAX_SHOPPERS and 0 < options["minutes"] <= MAX_MINUTES):
            raise CommandError(f"1 to {MAX_SHOPPERS} shoppers, up to {MAX_MINUTES:g} minutes")
        if not 0 <= options["think"] <= 60:
            raise CommandError("--think is between 0 and 60 seconds")
        return Drill(base.rstrip("/"), options["shoppers"], options["minutes"], options["seed"], options["think"])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
