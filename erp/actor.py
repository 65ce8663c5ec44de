"""Who acts: kept in context variables, written into every change-journal row."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person or process; referred to by id and name, never by foreign key."""

    id: int | None  # platform user id, None for a process
    name: str
    kind: str = "user"  # user | customer | system


SYSTEM = Actor(None, "system", "system")

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_actor() -> Actor:
    """The actor of the running request, task or command; SYSTEM when nobody said."""
    return _actor.get()


def request_id() -> str:
    """Id of the running request, made up on first use outside one."""
    found = _request_id.get()
    if not found:
        found = uuid.uuid4().hex
        _request_id.set(found)
    return found


def begin_request(request: str) -> None:
    """From here on this thread works on another request, as SYSTEM: a worker's process outlives its tasks."""
    _actor.set(SYSTEM)
    _request_id.set(request[:64])


@contextmanager
def acting_as(actor: Actor, request: str | None = None) -> Iterator[None]:
    """Everything inside is done by ``actor`` under one request id."""
    token = _actor.set(actor)
    request_token = _request_id.set(request or uuid.uuid4().hex)
    try:
        yield
    finally:
        _actor.reset(token)
        _request_id.reset(request_token)


def actor_of(user: object) -> Actor:
    """Actor for a Django user (anonymous: a shop visitor)."""
    if getattr(user, "is_authenticated", False):
        name = user.get_username()  # type: ignore[attr-defined]
        kind = "user" if getattr(user, "is_staff", False) else "customer"
        return Actor(user.pk, name, kind)  # type: ignore[attr-defined]
    return Actor(None, "visitor", "customer")
