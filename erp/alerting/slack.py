"""Slack, an incoming webhook, through the official SDK."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from erp.alerting.message import ChannelError, Message, shortened
from erp.alerting.pagerduty import LOOPBACK

NAME = "slack"
TIMEOUT_S = 10
HEADER_LIMIT = 150  # characters of a header block
SECTION_LIMIT = 3000  # characters of a section block


def is_configured() -> bool:
    """Whether there is a webhook."""
    return bool(settings.ALERTING["slack_webhook_url"])


def send(message: Message) -> None:
    """Post one message. Raises ChannelError."""
    url = str(settings.ALERTING["slack_webhook_url"])
    # One attempt: waiting and repeating is the dispatcher's work.
    client = WebhookClient(url, timeout=TIMEOUT_S, retry_handlers=[])
    if urlsplit(url).hostname in LOOPBACK:
        client.proxy = None
    try:
        text = escaped(f"{message.heading}: {message.title}", SECTION_LIMIT)
        answer = client.send(text=text, blocks=_blocks(message))
    except (OSError, HTTPException, SlackClientError) as error:
        raise ChannelError(str(error)) from error
    if answer.status_code != 200 or answer.body != "ok":
        raise ChannelError(f"{answer.status_code}: {answer.body[:500]}")


def _blocks(message: Message) -> list[dict[str, Any]]:
    icon = {"resolve": "✅", "summary": "📋"}.get(message.action, "🚨")
    facts = "\n".join(message.lines())
    return [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": shortened(f"{icon} {message.heading}", HEADER_LIMIT), "emoji": True},
        },
        {"type": "section", "text": {"type": "mrkdwn", "text": escaped(message.title, SECTION_LIMIT)}},
        {"type": "section", "text": {"type": "mrkdwn", "text": escaped(facts, SECTION_LIMIT)}},
    ]


def escaped(text: str, limit: int) -> str:
    """Text with Slack's three control characters escaped, within the limit, never cut inside an escape."""
    found: list[str] = []
    length = 0
    for character in text:
        piece = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(character, character)
        if length + len(piece) > limit - 1:
            return "".join(found) + "…"
        found.append(piece)
        length += len(piece)
    return "".join(found)
