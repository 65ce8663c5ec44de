"""A stand-in as a process of its own, as `make run` starts it, and what a test may ask of it."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.environment import PROJECT_DIR


@dataclass
class StandInProcess:
    """A running `manage.py nav_standin`."""

    database: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    base_url: str = ""
    said: str = ""
    port: str = "0"

    def start(self) -> None:
        """Start it and wait until it answers; after a kill on the same port and with the same state."""
        arguments = ["nav_standin", "--port", self.port, "--database", str(self.database), *self.options]
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments], cwd=PROJECT_DIR, text=True, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self.base_url = self.said.split()[3]
        self.port = self.base_url.split(":")[2].split("/")[0]

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> None:
        """Ask it to stop."""
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=20)

    def order(self, name: str, **body: Any) -> Any:
        """Send an order to the control endpoint."""
        root = self.base_url.split("/invoiceService")[0]
        request = urllib.request.Request(f"{root}/_control/{name}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def inject(self, *faults: dict[str, Any]) -> None:
        """Put faults in force."""
        self.order("faults", faults=list(faults))

    def xml(self, number: str) -> bytes:
        """The report that it holds of a document."""
        with sqlite3.connect(self.database) as db:
            (content,) = db.execute(
                "select content from item where number = ? and state = 'DONE' and is_annulled = 0", [number]
            ).fetchone()
        return gzip.decompress(base64.b64decode(content))

    def held(self) -> list[str]:
        """Numbers of all documents that it holds as reported, in the order they came."""
        return [row["number"] for row in self.order("contents")]


@contextmanager
def running(database: Path, *options: str, **nav: Any) -> Iterator[StandInProcess]:
    """A stand-in that this process (``settings.NAV``) reports to."""
    stand_in = StandInProcess(database, options)
    stand_in.start()
    before = dict(settings.NAV)
    settings.NAV.update(endpoint="standin", url=stand_in.base_url, recovery_wait_s=0.0, timeout_s=3.0, **nav)
    try:
        yield stand_in
    finally:
        settings.NAV.clear()
        settings.NAV.update(before)
        if stand_in.process is not None and stand_in.process.poll() is None:
            stand_in.stop()
