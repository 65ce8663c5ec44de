"""The whole system, really started: `up`, `down`, kills in between."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from erp import embedded
from erp.embedded.processes import command_of, wait_until
from erp.environment import PROJECT_DIR
from erp.supervisor import readiness
from erp.supervisor.record import read_record

READY_S = 120.0


@dataclass
class Installation:
    """A home of its own with `manage.py up` running in it, or not."""

    home: Path
    port: int
    runs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        own = {"ERP_HOME": str(self.home), "ERP_WEB_PORT": str(self.port), "ERP_PG_EXTRA": "-c fsync=off"}
        return {**os.environ, **own, "ERP_SEND_HINTS": "1", "ERP_DEMO": "0"}

    @property
    def output(self) -> str:
        return (self.home.parent / "up.log").read_text()

    def up(self) -> None:
        """Start and wait until ready."""
        with (self.home.parent / "up.log").open("wb") as log:
            run = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=PROJECT_DIR, env=self.env, stdout=log, stderr=subprocess.STDOUT
            )
        self.runs.append(run)
        wait_until(lambda: "Ready." in self.output or run.poll() is not None, READY_S, every_s=0.05)
        assert "Ready." in self.output, self.output

    def manage(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=PROJECT_DIR, env={**self.env, **more}, capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip

    def pids(self) -> dict[str, int]:
        record = read_record(self.home)
        assert record is not None
        return {name: child.pid for name, child in record.children.items()}

    def is_ready(self) -> bool:
        return readiness.ask("127.0.0.1", self.port).status == http.client.OK

    def leftovers(self) -> list[str]:
        """Live processes of this home, by the settings in their environment or by their command."""
        marks = (f"ERP_HOME={self.home}\0".encode(), str(self.home).encode())
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            except OSError:
                continue
            if int(process.name) != os.getpid() and any(mark in text for mark in marks):
                found.append(f"{process.name} {command_of(int(process.name))}")
        return [line for line in found if not line.endswith(" None")]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    directory = Path(tempfile.mkdtemp(prefix="erp-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Installation(directory / "home", port)
    yield made
    for run in made.runs:
        if run.poll() is None:
            run.terminate()
            run.wait(60)
    embedded.destroy(made.home)
    shutil.rmtree(directory)


def test_lives_through_kills_and_leaves_nothing(installation: Installation) -> None:
    installation.up()
    assert "Set up: migrate, provision" in installation.output
    assert f"http://127.0.0.1:{installation.port}/" in installation.output
    children = {"web", "worker", "copies", "outside", "beat", "watchdog", "nav-standin"}
    assert wait_until(lambda: set(installation.pids()) == children, 10)

    second = installation.manage("up")
    assert second.returncode == 0
    assert f"already running at http://127.0.0.1:{installation.port}/" in second.stdout

    other_home = str(installation.home.parent / "home-other")
    busy = installation.manage("up", ERP_HOME=other_home)
    assert busy.returncode == 1
    assert f"port {installation.port} of 127.0.0.1 is in use" in busy.stderr
    embedded.destroy(Path(other_home))

    before = installation.pids()
    status = embedded.status(installation.home)
    for pid in (before["web"], before["copies"], status.postgres, status.valkey):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: "web ended (signal 9)" in installation.output, 10)
    assert wait_until(
        lambda: installation.is_ready() and installation.pids().get("copies") != before["copies"], 30, 0.2
    )
    assert installation.pids()["web"] != before["web"]

    children = installation.pids()
    installation.runs[-1].kill()
    installation.runs[-1].wait()
    assert wait_until(lambda: all(command_of(pid) is None for pid in children.values()), 30)
    installation.up()
    assert "Set up" not in installation.output

    installation.runs[-1].send_signal(signal.SIGTERM)
    assert installation.runs[-1].wait(60) == 0
    assert installation.leftovers() == []


def test_replaced_database_is_set_up_again(installation: Installation) -> None:
    installation.home.parent.joinpath("up.log").write_text("")
    embedded.destroy(installation.home)
    installation.up()
    assert "Set up: migrate, provision" in installation.output
    done = installation.manage("down", ERP_START_SERVICES="0")
    assert done.returncode == 0
    assert "Stopped." in done.stdout
    assert installation.runs[-1].wait(10) == 0
    assert installation.leftovers() == []
    again = installation.manage("down", ERP_START_SERVICES="0")
    assert "Nothing was running." in again.stdout
