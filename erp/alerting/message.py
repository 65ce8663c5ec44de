"""What is said about an incident, the same on every channel."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from erp.models import Alert

LABELS = {
    "compared": "Rows compared",
    "mismatched": "Rows that differ",
    "drift": "Drift",
    "amount": "In money",
    "last_clean_at": "Last clean check",
    "rows": "Rows",
    "cause": "Class of cause",
    "repair": "Repair",
    "age_s": "Age in seconds",
    "window_s": "Window in seconds",
    "pending": "Rows pending",
    "oldest_at": "Oldest since",
}
"""Facts that are told, in this order; others stay in PostgreSQL."""


class ChannelError(Exception):
    """The channel did not take the message."""


@dataclass(frozen=True)
class Message:
    """One message about one incident, or a day's summary."""

    action: str  # trigger | resolve | summary
    key: str  # the alert's key, e.g. scrub:customers
    dedup_key: str  # the same for everything about one incident
    severity: str  # critical | warning
    title: str
    since: datetime
    ended_at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # name from LABELS → value
    body: str = ""  # of a summary
    link: str = ""
    source: str = field(default_factory=socket.gethostname)

    @property
    def heading(self) -> str:
        """One line that says which kind of message this is."""
        if self.action == "resolve":
            return f"Resolved: {self.key}"
        return f"{self.severity.capitalize()}: {self.key}" if self.action == "trigger" else self.title

    def lines(self) -> list[str]:
        """Facts for reading, one a line."""
        if self.action == "summary":
            return self.body.splitlines()
        found = [f"Since: {_moment(self.since)}"]
        if self.ended_at:
            found.append(f"Resolved: {_moment(self.ended_at)}")
        found += [f"{LABELS[name]}: {shown(name, value)}" for name, value in self.facts.items()]
        return [*found, f"Board: {self.link}"] if self.link else found


def of_alert(alert: Alert, action: str) -> Message:
    """The message that opens or resolves an incident."""
    facts = {name: alert.details[name] for name in LABELS if alert.details.get(name) not in (None, "", [])}
    return Message(
        action=action,
        key=alert.key,
        dedup_key=f"erp:{alert.key}:{alert.pk}",
        severity=alert.severity,
        title=alert.message,
        since=alert.opened_at,
        ended_at=alert.resolved_at if action == "resolve" else None,
        facts=facts,
        link=f"{settings.SHOP_URL}/admin/ownership/",
    )


def shown(name: str, value: Any) -> str:
    """A fact as text."""
    if name == "drift":
        return f"{float(value):.3%}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters; a cut is shown."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
