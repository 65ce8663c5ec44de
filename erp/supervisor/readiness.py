"""Waits until the web server says that everything behind it is ready."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What /readyz said; status 0 when there was no answer."""

    status: int
    body: str


def ask(host: str, port: int) -> Answer:
    """Ask /readyz once."""
    link = http.client.HTTPConnection(host, port, timeout=10)
    try:
        # Behind TLS the application redirects plain requests; this one comes from beside it.
        link.request("GET", "/readyz", headers={"X-Forwarded-Proto": "https", "Host": f"127.0.0.1:{port}"})
        response = link.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error))
    finally:
        link.close()


def wait(host: str, port: int, *, timeout_s: float, meanwhile: Callable[[], None]) -> Answer:
    """Ask until the answer is 200 or the time is over; returns the last answer. Runs `meanwhile` between two asks."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = ask(host, port)
        if answer.status == http.client.OK or time.monotonic() >= deadline:
            return answer
        meanwhile()
        time.sleep(0.1)
