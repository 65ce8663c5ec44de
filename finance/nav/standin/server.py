"""The stand-in over HTTP, on this machine only."""

import ipaddress
import logging
import select
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from finance.nav.names import MAX_BODY_BYTES
from finance.nav.standin.config import AFTER_KINDS, BEFORE_KINDS, Fault, FaultKind, StandInClock, StandInConfig
from finance.nav.standin.control import CONTROL_PATH, control
from finance.nav.standin.refusals import Refusal, Unreadable
from finance.nav.standin.respond import exception_answer
from finance.nav.standin.service import StandInService

_log = logging.getLogger(__name__)
_WORKER_PAUSE_S = 0.5


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stand_in: "StandInServer", address: tuple[str, int]) -> None:
        self.stand_in = stand_in
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Note a failure without the request, which carries credentials; a client that left is none."""
        if not isinstance(sys.exception(), ConnectionError):
            _log.exception("the stand-in failed")


class StandInServer:
    """A running stand-in; use it as a context manager or call `start` and `stop`."""

    def __init__(self, config: StandInConfig, clock: StandInClock | None = None) -> None:
        if config.host != "localhost" and not ipaddress.ip_address(config.host).is_loopback:
            raise ValueError(f"a stand-in listens on this machine only, not on {config.host}")
        self.service = StandInService(config, clock)
        self.stopping = threading.Event()
        self.work = threading.Event()
        self._http = _Server(self, (config.host, config.port))
        self._threads = [threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)]
        if config.has_worker:
            self._threads.append(threading.Thread(target=self._process, daemon=True))

    @property
    def root_url(self) -> str:
        """The address of the server, without a path."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def base_url(self) -> str:
        """The address to give to a client."""
        return self.root_url + self.service.config.base_path

    def start(self) -> None:
        """Answer requests until `stop`."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop answering and close the database; a stand-in with the same file goes on where this one stopped.

        A repeat does nothing.
        """
        if self.stopping.is_set():
            return
        self.stopping.set()
        self.work.set()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join()
        self.service.close()

    def __enter__(self) -> "StandInServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _process(self) -> None:
        while not self.stopping.is_set():
            self.work.wait(_WORKER_PAUSE_S)
            self.work.clear()
            if not self.stopping.is_set():
                self.service.processor.process_due()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer one operation or one control order."""
        stand_in = self.server.stand_in
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self._send(413, b"")
            return
        body = self.rfile.read(int(length))
        if self.path.startswith(CONTROL_PATH):
            status, content = control(stand_in.service, self.path.removeprefix(CONTROL_PATH), body)
            self._send(status, content, "application/json")
            return
        base = stand_in.service.config.base_path + "/"
        if not self.path.startswith(base):
            self._send(404, b"")
            return
        self._operate(self.path.removeprefix(base), body)

    def _operate(self, operation: str, body: bytes) -> None:
        stand_in = self.server.stand_in
        service = stand_in.service
        if not service.knows(operation):
            self._send(400, exception_answer(Unreadable("INVALID_REQUEST", f"no operation {operation}")))
            return
        before = service.faults.strike(BEFORE_KINDS, operation)
        if before and self._fails_before(before):
            return
        status, answer = service.answer(operation, body)
        stand_in.work.set()
        # A refusal was not accepted, so "after accept" does not apply to it.
        after = service.faults.strike(AFTER_KINDS, operation) if status == 200 else None
        if after:
            self._fail_after(after, answer)
        else:
            self._send(status, answer)

    def _fails_before(self, fault: Fault) -> bool:
        match fault.kind:
            case FaultKind.MAINTENANCE:
                refusal = Refusal("MAINTENANCE_MODE", "the system is being maintained")
                self._send(503, exception_answer(refusal))
            case FaultKind.OPERATION_FAILED:
                self._send(500, exception_answer(Refusal("OPERATION_FAILED", "the operation failed")))
            case FaultKind.BARE_503:
                self._send(503, b"")
            case FaultKind.LOST_REQUEST:
                self._hang_up()
            case _:
                self.server.stand_in.stopping.wait(fault.delay_s)
                return False
        return True

    def _fail_after(self, fault: Fault, answer: bytes) -> None:
        match fault.kind:
            case FaultKind.BARE_504_AFTER_ACCEPT:
                self._send(504, b"")
            case FaultKind.BROKEN_ANSWER:
                self._send(200, answer[: len(answer) // 2], announced=len(answer))
            case FaultKind.TIMEOUT_AFTER_ACCEPT:
                self._wait_for_hang_up()
            case _:
                self._hang_up()

    def _wait_for_hang_up(self) -> None:
        while not self.server.stand_in.stopping.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                break
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes, kind: str = "application/xml", announced: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)

    def _not_allowed(self) -> None:
        refusal = Unreadable("NOT_ALLOWED_EXCEPTION", "only POST is allowed")
        self._send(refusal.status, exception_answer(refusal))

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _not_allowed

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent: requests carry credentials."""
