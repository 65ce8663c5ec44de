"""Whether a process is alive and is the one we mean, without trusting a pid alone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()


def command_of(pid: int) -> str | None:
    """Give the command line of a live process, arguments joined by spaces; None when dead or a zombie."""
    if HAS_PROC:
        try:
            raw = (PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None
        # A zombie has an empty command line.
        return raw.replace(b"\0", b" ").decode(errors="replace").strip() or None
    state = _ps("-o", "state=", "-p", str(pid)).strip()
    return _ps("-o", "command=", "-p", str(pid)).strip() or None if state and state[0] != "Z" else None


def started_at(pid: int) -> str | None:
    """Give a token that tells two processes with the same pid apart; None when there is no such process."""
    return _state_and_start(pid)[1]


def is_running(pid: int, started: str | None) -> bool:
    """Say whether the process with this start still runs; one that only waits to be reaped does not.

    Surer than `command_of` at the end of a life: a command line is gone before memory and files are released.
    """
    state, start = _state_and_start(pid)
    return start is not None and start == started and state not in "ZX"


def list_commands() -> Iterator[tuple[int, str]]:
    """Go through all live processes that can be seen, as (pid, command line)."""
    if HAS_PROC:
        for entry in PROC.iterdir():
            if entry.name.isdigit() and (command := command_of(int(entry.name))):
                yield int(entry.name), command
        return
    for line in _ps("-axo", "pid=,command=").splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command.strip()


def wait_until(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.02) -> bool:
    """Poll a condition; returns whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True


def end(
    pid: int, is_ours: Callable[[str], bool], *, first: signal.Signals = signal.SIGTERM, grace_s: float = 20
) -> bool:
    """Signal a process as long as its command line is ours, SIGKILL after the grace; returns whether it is gone."""
    started = started_at(pid)
    command = command_of(pid)
    if command is None or not is_ours(command):
        return True

    def gone() -> bool:
        return not is_running(pid, started)

    for number, wait_s in ((first, grace_s), (signal.SIGKILL, 5.0)):
        if gone():
            return True
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_until(gone, wait_s):
            return True
    return False


def _state_and_start(pid: int) -> tuple[str, str | None]:
    if not HAS_PROC:
        state, _, start = _ps("-o", "state=,lstart=", "-p", str(pid)).strip().partition(" ")
        return state[:1], start.strip() or None
    try:
        # Fields of proc(5) after the name, which may itself hold spaces and brackets: state is 3, start is 22.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", None
    return fields[0], fields[19]


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
