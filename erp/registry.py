"""What looks across modules from below: modules fill these lists, each from its own tables, in ``register()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from erp.actor import Actor
from erp.scrubber.result import CheckSpec


@dataclass(frozen=True)
class Widget:
    """A figure on the staff's start page."""

    module: str
    title: str
    value: Callable[[], str]
    url: str = ""


@dataclass(frozen=True)
class StaffPage:
    """A page of a module for staff, beside its models (e.g. a report); shown in the navigation."""

    module: str
    title: str
    url: str  # name of the URL pattern


@dataclass(frozen=True)
class RecordLink:
    """A page of a module about a record of another one, shown above that record to those with the module's duty."""

    model: str  # e.g. "admin_app.customer"
    module: str
    title: str
    url_name: str  # takes the record's id


@dataclass(frozen=True)
class FlowDocument:
    """A document in the flow of one sales order (order, shipment, invoice, payment, return…)."""

    module: str
    kind: str
    number: str
    state: str
    at: datetime | None
    url: str


@dataclass(frozen=True)
class PeriodicTask:
    """A Celery task that beat sends every ``every_s`` seconds, or at ``crontab`` (minute, hour) UTC."""

    name: str
    task: str
    queue: str
    every_s: int = 0
    crontab: tuple[str, str] | None = None
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Watch:
    """A delay of background work: shown on the board and in the metrics, an incident beyond its limit."""

    key: str  # of the incident, and the label in the metrics
    title: str
    value_s: Callable[[], float]
    limit_s: float
    remedy: str  # what to do, ends the incident's message


@dataclass(frozen=True)
class StuckDocument:
    """A document on which work goes wrong or does not go on, as the page of stuck documents shows it."""

    key: str  # by which its source finds it again
    what: str  # e.g. "Invoice for shipment SH-000012"
    reason: str
    since: datetime
    attempts: int = 0
    state: str = "waiting"  # stuck: it was tried so often that somebody has to look
    next_at: datetime | None = None
    url: str = ""  # of the document


@dataclass(frozen=True)
class StuckSource:
    """Where stuck documents of one kind come from, and how one of them is tried again."""

    name: str  # in URLs and JSON, e.g. "storefront.hand-overs"
    module: str  # whose duty may try again
    title: str
    find: Callable[[int], list[StuckDocument]]  # at most so many, oldest first
    retry: Callable[[str, Actor], str]  # by key; says what came of it, raises ErpError where it failed again


@dataclass(frozen=True)
class RelayKind:
    """What a kind of relay work is called, and which document it is about."""

    title: str
    document: Callable[[Any, str], tuple[str, str]] | None = None  # (payload, key) → (number, URL)


@dataclass
class Registry:
    """All that modules registered in this process."""

    widgets: list[Widget] = field(default_factory=list)
    staff_pages: list[StaffPage] = field(default_factory=list)
    record_links: list[RecordLink] = field(default_factory=list)
    document_flows: list[Callable[[int], list[FlowDocument]]] = field(default_factory=list)
    periodic_tasks: list[PeriodicTask] = field(default_factory=list)
    checks: list[CheckSpec] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    # what of a module still has to enter the books until a day, in words: stands against closing a month
    closing_checks: list[Callable[[date], list[str]]] = field(default_factory=list)
    relay_handlers: dict[tuple[str, str], Callable[..., Any]] = field(default_factory=dict)
    relay_kinds: dict[tuple[str, str], RelayKind] = field(default_factory=dict)
    stuck_sources: list[StuckSource] = field(default_factory=list)


registry = Registry()


def document_flow(order_id: int) -> list[FlowDocument]:
    """All documents of a sales order, from every module's own tables, oldest first."""
    found = [document for provider in registry.document_flows for document in provider(order_id)]
    return sorted(found, key=lambda d: (d.at is None, d.at))
