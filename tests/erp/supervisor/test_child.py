"""One supervised child: restarted when it dies, ended with all that it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from erp.embedded.processes import command_of, wait_until
from erp.supervisor.child import Child, Spec
from erp.supervisor.record import Known, Record, read_record, remove_record, write_record
from erp.supervisor.stopping import end_leftovers

PARENT_OF_A_SLEEPER = (
    "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(Spec("sleeper", ["sleep", "60"]), tmp_path / "sleeper.log", os.environ, tmp_path)
    yield child
    child.end(time.monotonic())


def pid_of(child: Child) -> int:
    known = child.known
    assert known is not None
    return known.pid


def test_dead_child_is_reported_and_started_again(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    child.start()
    first = pid_of(child)
    assert child.tend() is None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    news = child.tend()
    assert news is not None
    assert "sleeper ended (signal 9); starts again in 1 s" in news
    assert child.tend() is None
    assert child.known is None, "the delay is kept"
    assert wait_until(lambda: child.tend() is None and child.known is not None, 5)
    assert pid_of(child) != first


def test_delay_grows_and_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr("erp.supervisor.child.time.monotonic", lambda: now_s)
    failing = Child(Spec("failing", ["false"]), tmp_path / "log", os.environ, tmp_path)
    delays = []
    for _ in range(7):
        failing.tend()
        os.waitid(os.P_PID, pid_of(failing), os.WEXITED | os.WNOWAIT)
        news = failing.tend()
        assert news is not None
        delays.append(int(news.partition("again in ")[2].split()[0]))
        now_s += delays[-1]
    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_end_takes_the_children_of_the_child(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(Spec("parent", [sys.executable, "-c", PARENT_OF_A_SLEEPER]), log, os.environ, tmp_path)
    child.start()
    assert wait_until(lambda: log.read_text().endswith("\n"), 5)
    sleeper = int(log.read_text())
    child.ask_to_stop()
    child.end(time.monotonic() + 5)
    assert wait_until(lambda: command_of(sleeper) is None, 5)


def test_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    child = Child(Spec("stubborn", [sys.executable, "-c", code]), log, os.environ, tmp_path)
    child.start()
    assert wait_until(lambda: bool(log.read_text()), 5)
    pid = pid_of(child)
    child.ask_to_stop()
    child.end(time.monotonic() + 0.3)
    assert command_of(pid) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for a signal when the parent dies")
def test_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from erp.supervisor.child import Child, Spec\n"
        "child = Child(Spec('s', ['sleep', '60']), Path(sys.argv[1]) / 'log', os.environ, Path('/')); child.start()\n"
        "print(child.known.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.communicate()
    assert wait_until(lambda: command_of(pid) is None, 5)


def test_recycled_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    recycled = Known(stranger.pid, "another start")
    assert not recycled.lives()
    assert not end_leftovers(Record(recycled, children={"web": recycled}))
    assert stranger.poll() is None
    assert Known.of(stranger.pid).lives()
    assert end_leftovers(Record(recycled, children={"web": Known.of(stranger.pid)}))
    stranger.wait(5)


def test_record_is_read_back(tmp_path: Path) -> None:
    record = Record(Known.of(os.getpid()), "http://127.0.0.1:8000/", {"web": Known(7, "8")})
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    (tmp_path / "supervisor.json").write_text("{half")
    assert read_record(tmp_path) is None
    remove_record(tmp_path)
    assert read_record(tmp_path) is None
