"""Documents on which work goes wrong or does not go on, of all modules; one way to try one again, on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.urls import NoReverseMatch, reverse

from erp.actor import Actor, acting_as, request_id
from erp.db import cursor, module_transaction, rows_as_dicts
from erp.errors import ErpError, NotFound, Refused
from erp.fields import dump_json, load_json
from erp.ownership import MODULE_LABELS, MODULES
from erp.registry import StuckDocument, StuckSource, registry
from erp.relay import retry_now, run_now

SHOWN = 100  # per source
LATE_S = 60  # work that nobody took up for so long is shown, though nothing went wrong with it yet


@dataclass(frozen=True)
class Retry:
    """One use of the button, as the module's change journal has it."""

    at: datetime
    module: str
    actor: str
    source: str
    what: str
    outcome: str
    succeeded: bool


def sources() -> list[StuckSource]:
    """Everything that modules registered, and the relay of every module."""
    relays = [
        StuckSource(
            f"{module}.relay", module, f"Work that follows in {MODULE_LABELS[module]}", partial(_relay_items, module),
            partial(_retry_item, module),
        )
        for module in MODULES
    ]  # fmt: skip
    return [*registry.stuck_sources, *relays]


def get_source(name: str) -> StuckSource:
    """The source of that name. Raises NotFound."""
    for source in sources():
        if source.name == name:
            return source
    raise NotFound(f"There is no source of stuck documents called {name!r}")


def list_stuck(module: str = "") -> list[tuple[StuckSource, list[StuckDocument]]]:
    """What is stuck, by source and oldest first; sources without any are left out."""
    found = [(source, source.find(SHOWN)) for source in sources() if module in ("", source.module)]
    return [(source, documents) for source, documents in found if documents]


def try_again(name: str, key: str, actor: Actor) -> str:
    """Try one document again now; who did and what came of it goes into the module's change journal.

    Returns:
        What came of it, in words.

    Raises:
        ErpError: it failed again, or there is no such document; that is on record too.
    """
    source = get_source(name)
    what = next((d.what for d in source.find(SHOWN) if d.key == key), key)
    with acting_as(actor, request_id()):
        try:
            outcome = source.retry(key, actor)
        except ErpError as error:
            _record(source, key, what, actor, error.message, succeeded=False)
            raise
        except Exception as error:
            told = f"It failed again: {type(error).__name__}: {error}"
            _record(source, key, what, actor, told, succeeded=False)
            raise StillStuck(told) from error
        _record(source, key, what, actor, outcome, succeeded=True)
    return outcome


def _record(source: StuckSource, key: str, what: str, actor: Actor, outcome: str, *, succeeded: bool) -> None:
    note = {"source": source.name, "key": key, "what": what, "outcome": outcome[:500], "succeeded": succeeded}
    with module_transaction(source.module), cursor(source.module) as cur:
        cur.execute(
            "insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload) "
            "values ('retry', 0, 0, %s, %s, %s, %s)",
            [actor.id, actor.name, request_id(), dump_json(note)],
        )


def list_retries(limit: int = 20) -> list[Retry]:
    """The latest uses of the button in all modules, newest first."""
    found: list[Retry] = []
    for module in MODULES:
        with cursor(module) as cur:
            cur.execute(
                "select at, actor_name, payload::text from change_journal "
                "where entity = 'retry' and key = 0 and version = 0 order by at desc limit %s",
                [limit],
            )
            for at, actor, payload in cur.fetchall():
                note = load_json(payload)
                found.append(Retry(at, module, actor, note["source"], note["what"], note["outcome"], note["succeeded"]))
    return sorted(found, key=lambda retry: retry.at, reverse=True)[:limit]


_ITEMS = """
select id, kind, key, payload, state, attempts, last_error, created_at, next_at from relay_item
where state <> 'done' and (state = 'stuck' or last_error <> '' or next_at < clock_timestamp() - %s * interval '1 s')
order by created_at, id limit %s"""


def _relay_items(module: str, limit: int) -> list[StuckDocument]:
    with cursor(module) as cur:
        cur.execute(_ITEMS, [LATE_S, limit])
        return [_as_document(module, row) for row in rows_as_dicts(cur)]


def _as_document(module: str, row: dict[str, Any]) -> StuckDocument:
    kind = registry.relay_kinds.get((module, row["kind"]))
    title = kind.title if kind else row["kind"].replace("_", " ").capitalize()
    number, url = row["key"], ""
    if kind and kind.document:
        number, url = _document(kind.document, load_json(row["payload"]), row["key"])
    return StuckDocument(
        key=str(row["id"]), what=f"{title}: {number}",
        reason=row["last_error"] or "Nobody has taken it up yet; see that the module's worker runs",
        since=row["created_at"], attempts=row["attempts"], state=row["state"], next_at=row["next_at"],
        url=url or _item_page(module, row["id"]),
    )  # fmt: skip


def _document(find: Callable[[Any, str], tuple[str, str]], payload: Any, key: str) -> tuple[str, str]:
    try:
        return find(payload, key)
    except Exception:  # noqa: BLE001  a payload of another release must not hide the item
        return key, ""


def _item_page(module: str, item_id: int) -> str:
    try:
        return reverse(f"admin:{module}_relayitem_change", args=[item_id])
    except NoReverseMatch:
        return ""


def _retry_item(module: str, key: str, actor: Actor) -> str:
    if not key.isdecimal():
        raise NotFound(f"{key!r} is not the number of an item")
    with cursor(module) as cur:
        cur.execute("select kind, key, state from relay_item where id = %s", [int(key)])
        found = cur.fetchone()
    if found is None:
        raise NotFound(f"There is no item {key} in {MODULE_LABELS[module]}'s relay")
    if found[2] == "done":
        return "It was done meanwhile."
    retry_now(module, int(key))
    if run_now(module, found[0], found[1]):
        return "Done."
    with cursor(module) as cur:
        cur.execute("select state, last_error from relay_item where id = %s", [int(key)])
        state, error = cur.fetchone()
    if state == "done":
        return "Done."
    raise StillStuck(f"It failed again: {error}" if error else "Somebody else is at it; look again in a minute")


class StillStuck(Refused):
    """It could not be done this time either."""

    code = "still-stuck"


def document_page(model: str, key: object) -> str:
    """Admin page of a row (``logistics_shipment``, 12); empty where there is none."""
    try:
        return reverse(f"admin:{model}_change", args=[key])
    except NoReverseMatch:
        return ""


def as_json(found: list[tuple[StuckSource, list[StuckDocument]]], now: datetime) -> dict[str, Any]:
    """What the page shows, for machines."""
    return {
        "at": now,
        "documents": [
            {
                "source": source.name, "module": source.module, "kind": source.title, "key": document.key,
                "what": document.what, "reason": document.reason, "since": document.since,
                "age_s": round((now - document.since).total_seconds()), "attempts": document.attempts,
                "state": document.state, "next_at": document.next_at, "url": document.url,
            }
            for source, documents in found
            for document in documents
        ],
    }  # fmt: skip
