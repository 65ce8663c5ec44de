"""The channels, in the order in which an incident reaches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from erp.alerting import email, pagerduty, slack
from erp.alerting.message import Message


@dataclass(frozen=True)
class Channel:
    """One way to tell people; ``send`` makes one attempt and raises ChannelError when it fails."""

    name: str
    is_configured: Callable[[], bool]
    send: Callable[[Message], None]


CHANNELS = tuple(Channel(m.NAME, m.is_configured, m.send) for m in (pagerduty, slack, email))


def configured() -> list[Channel]:
    """Channels whose settings are there, in order."""
    return [channel for channel in CHANNELS if channel.is_configured()]
