"""The supervisor itself: one process, no threads, one loop."""

import http.client
import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from erp import embedded
from erp.environment import PROJECT_DIR, Environment
from erp.supervisor import plan, readiness
from erp.supervisor.child import Child
from erp.supervisor.record import own_record, remove_record, write_record

logger = logging.getLogger(__name__)

READY_S = 120.0
STOP_S = 20.0
TEND_EVERY_S = 0.25
SERVERS_EVERY_S = 2.0


class StopAsked(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Not an Exception: nothing on the way may swallow it."""


class NotReady(RuntimeError):
    """The system did not become ready in time; the message says what is missing."""


def stop_on_signals() -> None:
    """Turn the first stop signal into `StopAsked`; further ones are ignored, stopping takes a bounded time."""

    def handle(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise StopAsked

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, handle)


class Supervisor:
    """Children of one home. `say` shows a line to the person at the terminal."""

    def __init__(
        self, environment: Environment, web_fd: int, say: Callable[[str], None], card_fd: int | None = None
    ) -> None:
        """Take note; `start` starts."""
        self._home = environment.home
        self._say = say
        self._uses_embedded = environment.is_embedded or not environment.environ.get("ERP_REDIS_URL")
        self._url = ""
        self._servers_due_s = 0.0
        env = {**os.environ, "ERP_DB_ROLE": "runtime", "ERP_HOME": str(self._home), "PYTHONUNBUFFERED": "1"}
        # Children use the servers, they do not start them: that needs secrets which they should not read.
        env["ERP_START_SERVICES"] = "0"
        self.log_dir = log = self._home / "log"
        log.mkdir(exist_ok=True)
        specs = plan.children(self._home, web_fd, card_fd)
        self._tended: list[Child] = []
        self._children = [Child(spec, log / f"{spec.name}.log", env, PROJECT_DIR) for spec in specs]

    def start(self, host: str, port: int) -> None:
        """Start every child and wait until /readyz answers 200; raises `NotReady`.

        Web goes first: the others would only take its processor time away while it starts.
        """
        self._tended = [child for child in self._children if child.spec.name == plan.WEB]
        self.tend()
        answer = readiness.wait(host, port, timeout_s=READY_S, meanwhile=self.tend)
        if answer.status != http.client.OK:
            raise NotReady(f"not ready after {READY_S:.0f} s, /readyz says {answer.status}: {answer.body.strip()}")
        self._url = f"http://{host}:{port}/"
        self._tended = self._children
        self.tend()

    def watch(self) -> None:
        """Keep everything running until `StopAsked`."""
        while True:
            self.tend()
            time.sleep(TEND_EVERY_S)

    def tend(self) -> None:
        """Restart what died: embedded servers first, then children."""
        if self._uses_embedded and time.monotonic() >= self._servers_due_s:
            self._tend_servers()
            self._servers_due_s = time.monotonic() + SERVERS_EVERY_S
        before = [child.known for child in self._children]
        for child in self._tended:
            if news := child.tend():
                self._say(news)
        if before != [child.known for child in self._children]:
            self._record()

    def stop(self) -> None:
        """Stop all children side by side, within a bounded time, and forget them."""
        for child in self._children:
            child.ask_to_stop()
        deadline_s = time.monotonic() + STOP_S
        for child in self._children:
            child.end(deadline_s)
        remove_record(self._home)

    def _tend_servers(self) -> None:
        try:
            embedded.ensure(self._home)
        except (embedded.EmbeddedError, OSError) as error:
            # Tried again soon; children report on their own what they miss.
            logger.error("the embedded servers do not start: %s", error)  # noqa: TRY400
            self._say(f"the embedded servers do not start: {error}")

    def _record(self) -> None:
        known = {child.spec.name: child.known for child in self._children}
        write_record(self._home, own_record(self._url, {name: one for name, one in known.items() if one}))
