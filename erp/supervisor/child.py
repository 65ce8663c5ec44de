"""One supervised child: started in a session of its own, restarted with a bounded delay, ended as a group."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from erp.supervisor.record import Known

LOG_LIMIT_BYTES = 10_000_000
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0  # a child that lived this long starts again without delay
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Spec:
    """What to run."""

    name: str
    command: Sequence[str]
    passed_fds: tuple[int, ...] = ()


class Child:
    """A process that should run until it is told to stop."""

    def __init__(self, spec: Spec, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        """Take note; `start` starts it."""
        self.spec = spec
        self.log = log
        self._env = env
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._delay_s = 0.0
        self._due_s = 0.0

    @property
    def known(self) -> Known | None:
        """The running process."""
        return Known.of(self._process.pid) if self._process else None

    def start(self) -> None:
        """Start the process; its output goes to the end of its log."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.spec.command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=self.spec.passed_fds,
                # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
                start_new_session=True,
                preexec_fn=_end_with_parent(os.getpid()),  # noqa: PLW1509 - the supervisor has no threads
            )
        self._started_s = time.monotonic()

    def tend(self) -> str | None:
        """Restart when it died and its delay is over; returns a line to tell when it has just been found dead."""
        if self._process is None:
            if time.monotonic() >= self._due_s:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        # Its own children must not live on beside their successors.
        _signal_group(self._process.pid, signal.SIGKILL)
        lived_s = time.monotonic() - self._started_s
        self._process = None
        self._delay_s = 0.0 if lived_s > STEADY_S else min(LONGEST_DELAY_S, max(1.0, self._delay_s * 2))
        self._due_s = time.monotonic() + self._delay_s
        reason = f"signal {-code}" if code < 0 else f"exit {code}"
        return f"{self.spec.name} ended ({reason}); starts again in {self._delay_s:.0f} s; see {self.log}"

    def ask_to_stop(self) -> None:
        """Send SIGTERM, which every child of ours takes as: finish what you do, then end."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def end(self, deadline_s: float) -> None:
        """Wait for the end until a monotonic time, then end the whole group by force."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        _signal_group(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def _end_with_parent(parent: int) -> Callable[[], None] | None:
    """Give what a child runs before its program: ask Linux for SIGTERM when the supervisor dies in any way."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask
