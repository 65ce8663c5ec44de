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
    if not HAS_PROC:
        return _ps("-o", "lstart=", "-p", str(pid)).strip() or None
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # Field 22 of proc(5); the name in field 2 may itself hold spaces and brackets.
    return stat.rpartition(")")[2].split()[19]


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

    def gone() -> bool:
        command = command_of(pid)
        return command is None or not is_ours(command)

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


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
