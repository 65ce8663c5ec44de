"""The web port: taken by the supervisor itself and handed to the web server, so it stays ours across its restarts."""

import socket
import time

FIRST_PORT = 8000
TRIES = 100


class PortBusy(RuntimeError):
    """The port that was asked for is in use, or none of those that we tried is free."""


def listen(host: str, port: int | None, *, wait_s: float = 0.0) -> socket.socket:
    """Listen on a port, or without one on the first free from 8000 on; raises `PortBusy`.

    `wait_s`: how long a web server of ours that is just ending may keep the first choice busy.
    """
    deadline = time.monotonic() + wait_s
    first = FIRST_PORT if port is None else port
    while (listener := _try(host, first)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    for number in range(first + 1, first + TRIES) if port is None else ():
        listener = listener or _try(host, number)
    if listener is not None:
        return listener
    if port is not None:
        raise PortBusy(f"port {port} of {host} is in use: set ERP_WEB_PORT to another, or stop what listens there")
    raise PortBusy(f"no free port from {FIRST_PORT} to {FIRST_PORT + TRIES - 1} on {host}: set ERP_WEB_PORT")


def _try(host: str, port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Connections of an earlier run that linger in TIME_WAIT do not count as busy.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        return None
    return listener
