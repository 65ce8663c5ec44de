"""``manage.py nav_standin``: a stand-in of the NAV's interface, on this machine only."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finance.nav.local import folder_of, note_address, stand_in_credentials
from finance.nav.standin.config import RegisteredTaxpayer, StandInConfig, StandInUser
from finance.nav.standin.faults import fault_from_json
from finance.nav.standin.server import StandInServer
from finance.services.reporting.connection import tax_number

DEMO_TAXPAYERS = (
    RegisteredTaxpayer(
        "10987656", "Kávéház a Sarkon Kft.", county_code="06", address=("6720", "Szeged", "Kárász", "utca", "9")
    ),
    RegisteredTaxpayer("13456786", "Csoporttag Kft.", vat_code="4", vat_group="17781774"),
    RegisteredTaxpayer("14567896", "Felfüggesztett Kft.", is_valid=False),
)
"""Whom the stand-in knows beside the company: the demonstration's customer at home, a member of a VAT group, and one
whose tax number is suspended."""


class Command(BaseCommand):
    help = "Answers as the NAV would, for this installation's own reports; keeps what it took in below ERP_HOME."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.NAV["standin_port"], help="0 = any free one")
        parser.add_argument(
            "--database", type=Path, help="SQLite file of a further stand-in, which clients reach by ERP_NAV_URL alone"
        )
        parser.add_argument("--received-s", type=float, default=0.0, help="seconds a batch stays RECEIVED")
        parser.add_argument("--processing-s", type=float, default=0.0, help="seconds it then stays PROCESSING")
        parser.add_argument(
            "--faults", default=settings.NAV["standin_faults"],
            help='JSON, e.g. [{"kind": "maintenance", "probability": 0.1}]; else ERP_NAV_STANDIN_FAULTS',
        )  # fmt: skip
        parser.add_argument("--fault-seed", type=int, default=0)
        parser.add_argument(
            "--candidates-block", action="store_true", help="checks that are announced but not in force abort"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        try:
            server = StandInServer(self._config(options))
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"the stand-in does not start: {error}") from error
        with server:
            if options["database"] is None:
                note_address(settings.ERP_HOME, server.base_url)
            self.stdout.write(f"NAV stand-in at {server.base_url} (this machine only)")
            if not server.service.schema.is_checked:
                self.stdout.write(server.service.schema.why_unchecked)
            self.stdout.flush()
            stop.wait()

    def _config(self, options: dict[str, Any]) -> StandInConfig:
        folder = folder_of(settings.ERP_HOME)
        folder.mkdir(parents=True, exist_ok=True)
        number = tax_number()
        schemas = settings.NAV["schema_dir"]
        return StandInConfig(
            schema_dir=Path(schemas) if schemas else None,
            database=options["database"] or folder / "standin.sqlite3",
            users=(StandInUser(stand_in_credentials(settings.SECRET_KEY, number)),),
            taxpayers=(RegisteredTaxpayer(number, settings.COMPANY["name"]), *DEMO_TAXPAYERS),
            port=options["port"],
            received_s=options["received_s"],
            processing_s=options["processing_s"],
            faults=tuple(fault_from_json(fault) for fault in json.loads(options["faults"])),
            fault_seed=options["fault_seed"],
            candidates_block=options["candidates_block"],
        )
