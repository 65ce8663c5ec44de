"""Idempotency keys: the same key gives the same answer and one effect, also when an answer was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from psycopg import errors as pg

from erp.db import fetch_prepared, retrying, sqlstate_error
from erp.errors import IdempotencyConflict, OwnerBusy
from erp.fields import dump_json, load_json


def hash_request(body: Any) -> str:
    """Hash of a request's plain data; a repeated key must come with the same request."""
    return hashlib.sha256(dump_json(body).encode()).hexdigest()


def once(
    module: str, key: str, scope: str, request_hash: str, run: Callable[[], Any], *, status: int = 200
) -> tuple[Any, bool]:
    """Run ``run`` in a transaction of ``module`` that also stores its answer under the key.

    Args:
        scope: what kind of request the key belongs to, e.g. ``POST /customers``.
        request_hash: :func:`hash_request` of the request.
        run: the effect; returns plain data (Decimal, date, datetime allowed).

    Returns:
        (answer, whether it is a repeat). Of a repeat the answer is the stored one, as JSON gives it back.
        Two requests with one key at the same time: the second waits for the first.

    Raises:
        IdempotencyConflict: the key was used for a different request.
        OwnerBusy: the request that came first with this key still runs.
    """

    def attempt() -> tuple[Any, bool]:
        made = _take_key(module, [scope, key, request_hash, status])
        if made is None:
            return _stored(module, key, scope, request_hash), True
        answer = run()
        fetch_prepared(module, _KEEP_ANSWER, [dump_json(answer), made])
        return answer, False

    return retrying(module, attempt)


_TAKE_KEY = """
insert into idempotency_key (scope, key, request_hash, status) values (%s::text, %s::text, %s::text, %s::int)
on conflict (scope, key) do nothing returning id"""
_KEEP_ANSWER = "update idempotency_key set answer = %s::jsonb where id = %s::bigint"
_STORED = "select request_hash, answer::text from idempotency_key where scope = %s::text and key = %s::text"


def _take_key(module: str, values: list[Any]) -> int | None:
    """Id of the new key; None when it was used before. Waits for a transaction that is just using it."""
    try:
        made = fetch_prepared(module, _TAKE_KEY, values)
    except OperationalError as error:
        if isinstance(sqlstate_error(error), pg.LockNotAvailable):
            raise OwnerBusy("The first request with this Idempotency-Key still runs; please try again") from error
        raise
    return int(made[0][0]) if made else None


def _stored(module: str, key: str, scope: str, request_hash: str) -> Any:
    ((found_hash, answer),) = fetch_prepared(module, _STORED, [scope, key])
    if found_hash != request_hash:
        raise IdempotencyConflict(key=key)
    return load_json(answer)


def find_answer(module: str, key: str, scope: str) -> Any | None:
    """Stored answer of a key, None when the key was never used."""
    found = fetch_prepared(module, _STORED, [scope, key])
    return load_json(found[0][1]) if found else None
