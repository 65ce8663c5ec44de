"""Local receivers that take what the real services take and refuse what they refuse."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SEVERITIES = {"critical", "error", "warning", "info"}


@dataclass
class Receivers:
    """All three, and what arrived in order: (channel, what)."""

    pagerduty_url: str = ""
    slack_url: str = ""
    smtp_port: int = 0
    arrived: list[tuple[str, Any]] = field(default_factory=list)
    refused: list[tuple[str, list[str]]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)  # channel → status it answers instead

    def of(self, channel: str) -> list[Any]:
        """What arrived on one channel."""
        return [what for name, what in self.arrived if name == channel]


def pagerduty_problems(event: Any) -> list[str]:
    """What the Events API v2 would refuse in an event."""
    problems: list[str] = []

    def need(is_right: bool, problem: str) -> None:
        if not is_right:
            problems.append(problem)

    key = event.get("routing_key")
    need(isinstance(key, str) and len(key) == 32, "Length of 'routing_key' is incorrect (should be 32 characters)")
    need(event.get("event_action") in {"trigger", "acknowledge", "resolve"}, "'event_action' is invalid")
    dedup_key = event.get("dedup_key")
    need(dedup_key is None or (isinstance(dedup_key, str) and 0 < len(dedup_key) <= 255), "'dedup_key' is invalid")
    known = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
    need(set(event) <= known, f"unknown fields {set(event) - known}")
    if event.get("event_action") != "trigger":
        need(dedup_key is not None, "'dedup_key' is missing")
        return problems
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return [*problems, "'payload' is missing or blank"]
    summary = payload.get("summary")
    need(isinstance(summary, str) and 0 < len(summary) <= 1024, "'payload.summary' is missing, blank or too long")
    need(isinstance(payload.get("source"), str) and bool(payload["source"]), "'payload.source' is missing or blank")
    need(payload.get("severity") in SEVERITIES, "'payload.severity' is invalid")
    need(datetime.fromisoformat(payload["timestamp"]).tzinfo is not None, "'payload.timestamp' is invalid")
    for name in ("component", "group", "class"):
        need(isinstance(payload.get(name, ""), str), f"'payload.{name}' is no string")
    need(isinstance(payload.get("custom_details", {}), dict), "'payload.custom_details' is no object")
    for link in event.get("links", []):
        need(set(link) <= {"href", "text"} and str(link.get("href", "")).startswith("http"), "'links' is invalid")
    return problems


def slack_problems(body: Any) -> list[str]:
    """What an incoming webhook would refuse in a message."""
    blocks = body.get("blocks", [])
    problems = [] if body.get("text") or blocks else ["no_text"]
    if not isinstance(body.get("text", ""), str) or len(body.get("text", "")) > 40_000 or len(blocks) > 50:
        problems.append("invalid_payload")
    for block in blocks:
        text = block.get("text", {})
        limit = {"header": 150, "section": 3000}.get(block.get("type"), 0)
        kinds = {"plain_text"} if block.get("type") == "header" else {"plain_text", "mrkdwn"}
        if text.get("type") not in kinds or not 0 < len(text.get("text", "")) <= limit:
            problems.append("invalid_blocks")
        if "emoji" in text and text["type"] != "plain_text":
            problems.append("invalid_blocks")
    return problems


def _handler(channel: str, path: str, problems_of: Callable[[Any], list[str]], here: Receivers) -> Any:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if channel in here.broken:
                self.answer(here.broken[channel], "broken")
                return
            kind = self.headers["Content-Type"].split(";")[0]
            if self.path != path or kind != "application/json" or len(raw) > 512 * 1024:
                self.answer(404, "no_service")
                return
            body = json.loads(raw)
            if problems := problems_of(body):
                here.refused.append((channel, problems))
                self.answer(400, json.dumps({"status": "invalid event", "errors": problems}))
                return
            here.arrived.append((channel, body))
            if channel == "slack":
                self.answer(200, "ok")
            else:
                told = {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
                self.answer(202, json.dumps(told))

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler


def _smtp_handler(here: Receivers) -> Any:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 local ESMTP")
            sender, recipients = "", []
            while line := self.rfile.readline(1002):
                if not line.endswith(b"\r\n"):
                    self.say("500 Line too long or without CRLF")
                    return
                verb, _, rest = line.decode().strip().partition(" ")
                if verb.upper() in {"EHLO", "HELO"}:
                    self.say("250 local")
                elif "email" in here.broken:
                    self.say(f"{here.broken['email']} broken")
                elif verb.upper() == "MAIL":
                    sender = rest
                    self.say("250 OK")
                elif verb.upper() == "RCPT" and sender:
                    recipients.append(rest.partition(":")[2].strip().strip("<>"))
                    self.say("250 OK")
                elif verb.upper() == "DATA" and recipients:
                    self.say("354 Go on")
                    self.take(recipients)
                elif verb.upper() == "QUIT":
                    self.say("221 Bye")
                    return
                else:
                    self.say("503 Bad sequence of commands")

        def take(self, recipients: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                assert len(line) <= 1000
                lines.append(line[1:] if line.startswith(b"..") else line)
            mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            missing = [h for h in ("From", "To", "Subject", "Date", "Message-ID") if not mail[h]]
            if missing:
                here.refused.append(("email", missing))
                self.say("554 Headers are missing")
                return
            here.arrived.append(("email", (recipients, mail)))
            self.say("250 Taken")

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    return Handler


@contextmanager
def listening() -> Iterator[Receivers]:
    """Three servers on ports of their own, until the end."""
    here = Receivers()
    path = "/services/T000/B000/XXXX"
    pagerduty = ThreadingHTTPServer(("127.0.0.1", 0), _handler("pagerduty", "/v2/enqueue", pagerduty_problems, here))
    slack = ThreadingHTTPServer(("127.0.0.1", 0), _handler("slack", path, slack_problems, here))
    smtp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _smtp_handler(here))
    servers: list[socketserver.BaseServer] = [pagerduty, slack, smtp]
    for server in servers:
        server.daemon_threads = True  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    here.pagerduty_url = f"http://127.0.0.1:{pagerduty.server_address[1]}"
    here.slack_url = f"http://127.0.0.1:{slack.server_address[1]}{path}"
    here.smtp_port = int(smtp.server_address[1])
    try:
        yield here
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
