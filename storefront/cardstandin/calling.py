"""Sends the stand-in's callbacks: signed, repeated until they are taken, for an hour at most."""

from __future__ import annotations

import http.client
import ipaddress
import logging
import threading
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from storefront.cardstandin.store import Store
from storefront.services.cards.signing import HEADER, sign

logger = logging.getLogger(__name__)

EVERY_S = 0.1
TRIES = 30


def is_local(url: str) -> bool:
    """Whether an address is on this machine: the stand-in talks to nobody else."""
    host = urlsplit(url).hostname or ""
    try:
        return host in {"localhost", "testserver"} or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Caller:
    """Sends what is due."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._secret = secret

    def run(self, stopping: threading.Event) -> None:
        """Send until told to stop."""
        while not stopping.wait(EVERY_S):
            for event in self._store.rows("select * from event where done = 0 and due_at <= ?", time.time()):
                self.send(dict(event))

    def send_of(self, ref: str) -> None:
        """Send what waits for one payment now."""
        for event in self._store.rows("select * from event where done = 0 and ref = ?", ref):
            self.send(dict(event))

    def send(self, event: dict[str, Any]) -> None:
        """Send one event, as many copies at once as it wants; one that is not taken is sent again later."""
        threads = [threading.Thread(target=self._post, args=(event,)) for _ in range(event["copies"] - 1)]
        for thread in threads:
            thread.start()
        taken = self._post(event)
        for thread in threads:
            thread.join()
        tries = event["tries"] + 1
        is_done = taken or tries >= TRIES
        wait_s = min(120.0, 2.0 ** min(tries, 7))
        self._store.run(
            "update event set tries = ?, done = ?, due_at = ? where id = ?",
            tries, int(is_done), time.time() + wait_s, event["id"],
        )  # fmt: skip

    def _post(self, event: dict[str, Any]) -> bool:
        body = event["body"].encode()
        if not is_local(event["url"]):
            return False
        request = urllib.request.Request(  # noqa: S310  on this machine, see is_local
            event["url"], body, {"Content-Type": "application/json", HEADER: sign(self._secret, body)}
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                return True
        except (OSError, http.client.HTTPException, urllib.error.URLError) as error:
            logger.warning("callback %s was not taken: %s", event["id"], error)
            return False
