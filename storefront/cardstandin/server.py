"""The stand-in over HTTP, on this machine only: the signed API, the shopper's page, and the callbacks."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import sys
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from erp.fields import dump_json, load_json
from storefront.cardstandin.calling import Caller, is_local
from storefront.cardstandin.cards import card_of
from storefront.cardstandin.page import pay_page, plain_page
from storefront.cardstandin.service import NotAllowed, StandIn
from storefront.cardstandin.store import Store
from storefront.services.cards.signing import HEADER, BadSignature, verify

logger = logging.getLogger(__name__)

MAX_BODY = 65_536
_API = re.compile(r"^/api/payments/([0-9a-f-]{36})/(start|find|capture|refund|void)$")
_PAY = re.compile(r"^/pay/([0-9a-f-]{36})$")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: CardStandIn, listener: socket.socket | None, port: int) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket = listener
            self.server_address = listener.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is no failure."""
        if not isinstance(sys.exception(), ConnectionError):
            logger.exception("the card stand-in failed")


class CardStandIn:
    """A running stand-in; ``listener``: a socket that listens already (its address must be of this machine)."""

    def __init__(
        self, secret: str, *, port: int = 0, listener: socket.socket | None = None, path: Path | None = None,
        late_s: float | None = None,
    ) -> None:  # fmt: skip
        if listener is not None and not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
            raise ValueError("a stand-in listens on this machine only")
        self.secret = secret
        self.store = Store(path)
        self.service = StandIn(self.store, late_s=late_s)
        self.caller = Caller(self.store, secret)
        self._stopping = threading.Event()
        self._http = _Server(self, listener, port)
        self._threads = [
            threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True),
            threading.Thread(target=self.caller.run, args=(self._stopping,), daemon=True),
        ]

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Answer until :meth:`stop`."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop answering and calling, and close the file."""
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join()
        self.store.close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        """Show the shopper's page."""
        found = _PAY.match(self.path)
        payment = self.server.owner.service.payment(found[1]) if found else None
        if payment is None or not payment["return_url"]:
            self._send(404, plain_page("There is no such payment."))
        else:
            self._send(200, pay_page(payment))

    def do_POST(self) -> None:
        """Answer the shop's call or the shopper's press."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self._send(413, "")
            return
        body = self.rfile.read(int(length))
        if found := _API.match(self.path):
            self._answer_shop(found[1], found[2], body)
        elif found := _PAY.match(self.path):
            form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
            self._answer_shopper(found[1], form)
        else:
            self._send(404, "")

    def _answer_shop(self, ref: str, action: str, body: bytes) -> None:
        try:
            verify(self.server.owner.secret, body, self.headers.get(HEADER, ""))
        except BadSignature as error:
            self._send(401, str(error))
            return
        try:
            answer, is_lost = self._act(ref, action, load_json(body))
        except NotAllowed as error:
            self._send(409, str(error))
        except (ValueError, KeyError, ArithmeticError) as error:
            self._send(400, f"cannot be read: {error}")
        else:
            if is_lost:
                self._hang_up()
            else:
                self._send(200, dump_json(answer), "application/json")

    def _act(self, ref: str, action: str, data: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        service = self.server.owner.service
        if action == "start":
            if not (is_local(data["return_url"]) and is_local(data["callback_url"])):
                raise ValueError("the stand-in serves shops on this machine only")
            return {**service.start(ref, data), "pay_url": f"{self.server.owner.url}/pay/{ref}"}, False
        if action == "find":
            return service.answer(ref), False
        if action == "void":
            return service.void(ref), False
        move = service.capture if action == "capture" else service.refund
        answer, is_new = move(ref, Decimal(str(data["amount"])), str(data["key"]))
        payment = service.payment(ref)
        card = card_of(payment["card"]) if payment else None
        return answer, bool(is_new and action == "capture" and card and card.loses_capture)

    def _answer_shopper(self, ref: str, form: dict[str, str]) -> None:
        owner = self.server.owner
        payment = owner.service.payment(ref)
        if payment is None or not payment["return_url"]:
            self._send(404, plain_page("There is no such payment."))
            return
        if form.get("action") == "back":
            self._redirect(payment["return_url"])
            return
        card = card_of(form.get("card", ""))
        if card is None:
            self._send(422, pay_page(payment, "Please take one of the cards below."))
            return
        try:
            owner.service.pay(ref, card)
        except NotAllowed as error:
            self._send(409, pay_page(payment, f"Nothing was paid: {error}."))
            return
        if card.calls_first:
            owner.caller.send_of(ref)
        if card.hangs_up:
            self._hang_up()
        else:
            self._redirect(payment["return_url"])

    def _redirect(self, url: str) -> None:
        self.send_response(303)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, text: str, kind: str = "text/html; charset=utf-8") -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent: requests carry what is not for logs."""
