"""One HTTP POST with hard time limits, on the standard library's client.

`http.client` is enough for one POST to one host, and it does nothing on its own: no redirect that
would carry credentials elsewhere, no silent retry that would send a batch twice, no connection kept
open whose loss could not be told from a lost answer. The hard limit over the whole call, which
client libraries with read time-outs only do not have, is a timer that shuts the socket.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one call in seconds; `total_s` holds whatever the other side does."""

    connect_s: float = 5.0
    read_s: float = 30.0  # between two pieces of the answer
    total_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class NotSent(Exception):
    """No connection came about: the other side has not seen the request."""


class NoAnswer(Exception):
    """The request went out, at least in part, and no complete answer came back."""


class Transport(Protocol):
    """Posts one body and returns the answer; raises `NotSent` or `NoAnswer`."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts) -> Answer:
        """Post `body` to `url`."""


def post(url: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts) -> Answer:
    """Post `body` to `url` on a connection of its own; never follows, never repeats.

    Raises `NotSent` when no connection came about, `NoAnswer` after anything was sent.
    """
    started_at = time.monotonic()
    connection, path = _connection(url, timeouts)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise NotSent(f"no connection: {type(error).__name__}: {error}") from error
    with _Deadline(connection, timeouts.total_s - (time.monotonic() - started_at)) as deadline:
        try:
            answer = _converse(connection, path, body, headers, timeouts)
            if deadline.passed:  # a body that ends with the connection looks complete when it is cut off
                raise TimeoutError
            return answer
        except (OSError, http.client.HTTPException) as error:
            reason = f"no answer within {timeouts.total_s} s" if deadline.passed else f"{type(error).__name__}: {error}"
            raise NoAnswer(reason) from error
        finally:
            connection.close()


def _connection(url: str, timeouts: Timeouts) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError("the NAV address must be an http or https URL")
    connect_s = min(timeouts.connect_s, timeouts.total_s)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        secure = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=connect_s, context=context)
        return secure, parts.path
    if not _is_loopback(parts.hostname):
        raise ValueError("plain http is for a stand-in on this machine only")
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=connect_s), parts.path


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _converse(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts
) -> Answer:
    connection.sock.settimeout(timeouts.read_s)
    connection.request("POST", path, body, {**headers, "Connection": "close"})
    response = connection.getresponse()
    parts: list[bytes] = []
    size = 0
    while part := response.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise http.client.HTTPException("the answer is too large")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return Answer(response.status, b"".join(parts), _retry_after(response.getheader("Retry-After")))


def _retry_after(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None


class _Deadline:
    """Shuts the connection's socket when the time is over, however little by little it is answered."""

    def __init__(self, connection: http.client.HTTPConnection, remaining_s: float) -> None:
        self.passed = False
        self._socket: socket.socket = connection.sock
        self._timer = threading.Timer(max(remaining_s, 0.001), self._shut)
        self._timer.daemon = True

    def _shut(self) -> None:
        self.passed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # already closed by the other side
            return

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
