"""``manage.py card_standin``: a card provider on this machine, for trying out. Started by `make run`."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from storefront.cardstandin.server import CardStandIn


class Command(BaseCommand):
    help = "Runs the stand-in of a card provider on this machine; no money moves."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; without one any that is free")
        parser.add_argument("--fd", type=int, help="a socket that listens already, given by the supervisor")
        parser.add_argument("--file", type=Path, help="where payments are kept; default: below the home")
        parser.add_argument("--late-s", type=float, help="delay of callbacks that come late")

    def handle(self, *args: Any, **options: Any) -> None:
        listener = socket.socket(fileno=options["fd"]) if options["fd"] is not None else None
        path = options["file"] or settings.ERP_HOME / "card-standin.sqlite"
        stand_in = CardStandIn(
            settings.CARD_SECRET, port=options["port"], listener=listener, path=path, late_s=options["late_s"]
        )
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        stand_in.start()
        self.stdout.write(f"card stand-in at {stand_in.url}")
        self.stdout.flush()
        stopping.wait()
        stand_in.stop()
