"""``manage.py resync ENTITY READER``: rebuild a copy from its owner, while the system runs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from erp.errors import ErpError, Refused
from erp.models import ScrubRun
from erp.ownership import UnknownEntity
from erp.replication.resync import Rebuilt, detach
from erp.scrubber.outcome import EXIT_CODES
from erp.scrubber.repair import attach_again, check_again, repair

WAIT_S = 60.0
NOT_WITH = {"detach": ("attach", "keys", "dry_run", "no_check"), "attach": ("keys", "dry_run")}


def _show(bar: tqdm[Any], done: int) -> None:
    bar.update(done - bar.n)


class Command(BaseCommand):
    """Owner data is never changed by a rebuild.

    Exit code as ``manage.py scrub`` of the check that follows; 2 when it could not be run in time, or nothing
    could be rebuilt.
    """

    help = "Makes a reader's copy equal to its owner's rows (missing, extra and changed rows, at any version)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("entity")
        parser.add_argument("reader")
        parser.add_argument("--keys", help="comma-separated keys; default: all rows")
        parser.add_argument("--dry-run", action="store_true", help="count what would change, write nothing")
        parser.add_argument("--attach", action="store_true", help="rebuild, check, and attach a detached reader")
        parser.add_argument("--detach", metavar="REASON", help="detach the reader instead, for this reason")
        parser.add_argument("--no-check", action="store_true", help="do not run the entity's check again afterwards")
        parser.add_argument(
            "--wait", type=float, default=WAIT_S, metavar="SECONDS",
            help="how long to wait for another scrubber run before the check (default %(default)s)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, attach or detach."""
        entity, reader = options["entity"], options["reader"]
        try:
            self._require_one_wish(options)
            if options["detach"] is not None:
                detach(entity, reader, options["detach"])
                self.stdout.write(f"{reader} is detached from {entity}.")
                return
            done = self._rebuild(entity, reader, options)
            run = None if done.dry_run or options["no_check"] else check_again(entity, wait_s=options["wait"])
        except (ErpError, UnknownEntity, Error) as error:
            if options["json"]:
                self.stdout.write(json.dumps({"entity": entity, "reader": reader, "error": str(error)}))
            raise CommandError(str(error), returncode=EXIT_CODES["failed"]) from error
        checks = {r.name: r.status for r in run.results.all()} if run and run.finished_at else {}
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(done), "checks": checks, "run": run.pk if run else None}))
        else:
            self._print(done, checks, run)
        code = EXIT_CODES[run.status if run.finished_at else "failed"] if run else 0
        if code:
            sys.exit(code)

    def _require_one_wish(self, options: dict[str, Any]) -> None:
        """Options that would not be heeded are refused."""
        for wish, others in NOT_WITH.items():
            for other in others if options[wish] not in (None, False) else ():
                if options[other]:
                    raise Refused(f"--{wish} does not go with --{other.replace('_', '-')}")

    def _rebuild(self, entity: str, reader: str, options: dict[str, Any]) -> Rebuilt:
        keys = self._keys(options["keys"])
        with tqdm(unit=" ranges", disable=not sys.stderr.isatty()) as bar:
            if options["attach"]:
                return attach_again(entity, reader, progress=lambda n: _show(bar, n))
            return repair(entity, reader, keys=keys, dry_run=options["dry_run"], progress=lambda n: _show(bar, n))

    def _print(self, done: Rebuilt, checks: dict[str, str], run: ScrubRun | None) -> None:
        verb = "would be" if done.dry_run else "were"
        self.stdout.write(f"{done.changed} rows {verb} set as the owner has them, {done.removed} {verb} removed.")
        for name, status in checks.items():
            self.stdout.write(f"Check {name} again: {status}.")
        if run and not run.finished_at:
            self.stdout.write(
                f"Not checked yet: another scrubber run is under way. The workers do run {run.pk} after it "
                f"({', '.join(run.names)}); or by hand: manage.py scrub --check {' --check '.join(run.names)}"
            )

    def _keys(self, text: str | None) -> list[int] | None:
        if not text:
            return None
        try:
            return [int(part) for part in text.split(",")]
        except ValueError as error:
            raise Refused(f"--keys takes whole numbers separated by commas, not {text!r}") from error
