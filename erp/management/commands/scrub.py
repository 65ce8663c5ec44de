"""``manage.py scrub``: run the scrubber's checks now."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from erp.errors import Refused
from erp.fields import dump_json
from erp.models import ScrubRun
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import no_pause, run_scrub
from erp.scrubber.outcome import EXIT_CODES
from erp.scrubber.result import CheckResult, CheckSpec
from erp.scrubber.throttle import Throttle


class Command(BaseCommand):
    """Exit code 1 when something alerts, else 2 when a check or the whole run could not be done, else 0."""

    help = "Cross-checks all modules: copies against owners, balances against movements, ledger against documents."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--check", action="append", metavar="NAME", help="only this check (may be repeated)")
        parser.add_argument("--list", action="store_true", help="list the checks and stop")
        parser.add_argument("--gentle", action="store_true", help="rest between steps, as the nightly run does")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, show progress on a terminal, print the results."""
        if options["list"]:
            for spec in all_checks():
                self.stdout.write(f"{spec.number:>2} {spec.name:<14} {spec.title}")
            return
        names = options["check"]
        with tqdm(total=len(names or all_checks()), disable=not sys.stderr.isatty(), unit=" checks") as bar:

            def show(spec: CheckSpec, result: CheckResult | None) -> None:
                bar.set_description(spec.name)
                if result:
                    bar.update()

            try:
                pause = Throttle(settings.SCRUB_REST) if options["gentle"] else no_pause
                run = run_scrub(names, progress=show, pause=pause)
                self._print(run, options["json"])
            except (Refused, Error) as error:
                self._give_up(str(error), options["json"])
                raise CommandError(str(error), returncode=EXIT_CODES["failed"]) from error
        sys.exit(EXIT_CODES[run.status])

    def _give_up(self, reason: str, as_json: bool) -> None:
        if as_json:
            self.stdout.write(dump_json({"status": "failed", "error": reason, "checks": []}))

    def _print(self, run: ScrubRun, as_json: bool) -> None:
        results = list(run.results.order_by("id"))
        if as_json:
            fields = (
                "name", "compared", "mismatched", "drift", "amount", "status", "samples", "cause", "repair", "seconds",
                "position", "error",
            )  # fmt: skip
            checks = [{field: getattr(r, field) for field in fields} for r in results]
            self.stdout.write(dump_json({"status": run.status, "checks": checks}))
            return
        for r in results:
            amount = f" amount {r.amount}" if r.amount is not None else ""
            self.stdout.write(
                f"{r.status.upper():<8} {r.name:<14} compared {r.compared}, mismatched {r.mismatched}{amount} "
                f"in {r.seconds:.2f} s {r.position}"
            )
            for sample in r.samples:
                self.stdout.write(
                    f"         {sample['key']} [{sample['cause']}]: {sample['expected']} but found {sample['found']}"
                )
            if r.repair:
                self.stdout.write(f"         repair: {r.repair}")
            if r.error:
                self.stdout.write(f"         {r.error}")
        self.stdout.write(f"Status: {run.status}")
