"""Idempotency keys: the same key gives the same answer and one effect, also when an answer was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from psycopg import errors as pg

from erp.db import cursor, retrying, sqlstate_error
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
        with cursor(module) as cur:
            cur.execute("update idempotency_key set answer = %s where id = %s", [dump_json(answer), made])
        return answer, False

    return retrying(module, attempt)


def _take_key(module: str, values: list[Any]) -> int | None:
    """Id of the new key; None when it was used before. Waits for a transaction that is just using it."""
    try:
        with cursor(module) as cur:
            cur.execute(
                "insert into idempotency_key (scope, key, request_hash, status) values (%s, %s, %s, %s) "
                "on conflict (scope, key) do nothing returning id",
                values,
            )
            made = cur.fetchone()
    except OperationalError as error:
        if isinstance(sqlstate_error(error), pg.LockNotAvailable):
            raise OwnerBusy("The first request with this Idempotency-Key still runs; please try again") from error
        raise
    return None if made is None else int(made[0])


def _stored(module: str, key: str, scope: str, request_hash: str) -> Any:
    with cursor(module) as cur:
        cur.execute("select request_hash, answer from idempotency_key where scope = %s and key = %s", [scope, key])
        found_hash, answer = cur.fetchone()
    if found_hash != request_hash:
        raise IdempotencyConflict(key=key)
    return load_json(answer)


def find_answer(module: str, key: str, scope: str) -> Any | None:
    """Stored answer of a key, None when the key was never used."""
    with cursor(module) as cur:
        cur.execute("select answer from idempotency_key where scope = %s and key = %s", [scope, key])
        row = cur.fetchone()
    return load_json(row[0]) if row else None
