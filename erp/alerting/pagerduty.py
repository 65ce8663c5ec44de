"""PagerDuty, Events API v2, through the official client."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from pagerduty import EventsApiV2Client
from pagerduty.errors import Error, UrlError

from erp.alerting.message import ChannelError, Message, shortened
from erp.fields import dump_json

NAME = "pagerduty"
TIMEOUT_S = 10
SUMMARY_LIMIT = 1024  # limits of the service
DEDUP_KEY_LIMIT = 255
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Client(EventsApiV2Client):
    """The official client, one attempt at a time: waiting and repeating is the dispatcher's work.

    It also accepts plain HTTP to this machine alone, for a local receiver.
    """

    max_network_attempts = 0
    timeout = TIMEOUT_S  # type: ignore[assignment]  # the client hands it to every request

    def __init__(self, routing_key: str, base_url: str) -> None:
        is_local = urlsplit(base_url).hostname in LOOPBACK
        super().__init__(routing_key, base_url=base_url, trust_env=not is_local)
        self.retry = {}

    @property
    def url(self) -> str:
        """Base URL of the service."""
        return str(self._url)

    @url.setter
    def url(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise UrlError(f"PagerDuty's URL must use https, not {base_url!r}")
        self._url = base_url

    def postprocess(self, response: Any) -> None:
        """Refuse what the client would sleep over."""
        if response.status_code == 429:
            raise ChannelError("429: too many events; tried again later")


def is_configured() -> bool:
    """Whether there is a routing key."""
    return bool(settings.ALERTING["pagerduty_routing_key"])


def send(message: Message) -> None:
    """Open or resolve an incident. Raises ChannelError."""
    base_url = str(settings.ALERTING["pagerduty_url"]).rstrip("/").removesuffix("/v2/enqueue")
    dedup_key = shortened(message.dedup_key, DEDUP_KEY_LIMIT)
    try:
        with _Client(str(settings.ALERTING["pagerduty_routing_key"]), base_url) as client:
            if message.action == "resolve":
                client.resolve(dedup_key)
            else:
                client.trigger(**_event(message), dedup_key=dedup_key)
    except Error as error:
        answer = getattr(error, "response", None)
        why = answer.text[:500] if answer is not None else error.__cause__
        raise ChannelError(f"{error}: {why}" if why else str(error)) from error
    except (UrlError, OSError) as error:
        raise ChannelError(str(error)) from error


def _event(message: Message) -> dict[str, Any]:
    details = {**message.facts, "since": message.since, "board": message.link}
    event: dict[str, Any] = {
        "summary": shortened(message.title, SUMMARY_LIMIT),
        "source": message.source,
        "severity": message.severity,
        "payload": {
            "timestamp": message.since.isoformat(),
            "component": shortened(message.key, 255),
            "group": "erp",
            "class": str(message.facts.get("cause") or message.key.split(":", 1)[0]),
        },
        "custom_details": json.loads(dump_json(details)),
    }
    if message.link:
        event["links"] = [{"href": message.link, "text": "Consistency board"}]
    return event
