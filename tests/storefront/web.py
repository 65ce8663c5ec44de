"""The shop over real HTTP, and the card stand-in beside it: what a callback needs."""

from __future__ import annotations

import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client
from pytest_django import Settings

from storefront.cardstandin.server import CardStandIn

SECRET = "a secret of the tests"
GOOD, DECLINED, HANGS_UP = "4242424242424242", "4000000000000002", "4000000000000119"
TWICE, LATE, FIRST, NEVER = "4000000000000226", "4000000000000333", "4000000000000440", "4000000000000557"
LOSES_CAPTURE = "4000000000000664"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def shop_server() -> Iterator[str]:
    """The shop on a port of its own, in threads of this process, on the test's database; gives its URL."""
    server = _Server(("127.0.0.1", 0), _Silent)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def card_shop(settings: Settings, late_s: float = 60.0) -> Iterator[CardStandIn]:
    """Shop and stand-in that know each other."""
    stand_in = CardStandIn(SECRET, late_s=late_s)
    stand_in.start()
    with shop_server() as url:
        settings.SHOP_URL, settings.CARD_URL, settings.CARD_SECRET = url, stand_in.url, SECRET
        try:
            yield stand_in
        finally:
            stand_in.stop()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def pay(pay_url: str, card: str, action: str = "pay") -> str | None:
    """What the shopper's browser does on the provider's page; where it is sent then, None: no answer."""
    data = urllib.parse.urlencode({"card": card, "action": action}).encode()
    try:
        with urllib.request.build_opener(_Stay).open(pay_url, data, timeout=10) as answer:
            status, headers, text = answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, headers, text = error.code, error.headers, error.read().decode()
    except (ConnectionError, urllib.error.URLError):
        return None
    assert status == 303, text
    return urllib.parse.urlsplit(headers["Location"]).path


def to_provider(client: Client, form: dict[str, str]) -> str:
    """Press the order button and then the one of the payment step; gives the provider's page."""
    pressed = client.post("/checkout/", {**form, "payment_method": "card"})
    assert pressed.status_code == 302, pressed.content.decode()
    step = client.get(pressed["Location"])
    assert step.status_code == 200, step
    sent = client.post(pressed["Location"])
    assert sent.status_code == 302, sent.content.decode()
    return str(sent["Location"])
