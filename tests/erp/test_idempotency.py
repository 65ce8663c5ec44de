"""One key: one effect and one answer, however often and from wherever it is sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from erp.db import cursor
from erp.errors import IdempotencyConflict, OwnerBusy, Refused
from erp.idempotency import find_answer, hash_request, once
from erp.relay import enqueue
from tests.databases import ErpDatabase

SCOPE = "POST /test"
SENDER = """
import json, os, sys
from erp.idempotency import hash_request, once
from erp.relay import enqueue
def effect():
    enqueue("finance", "effect", f"at once {os.getpid()}", {})
    return {"by": os.getpid()}
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(once("finance", "at once", "POST /test", hash_request({"a": 1}), effect)))
"""


def send(key: str, body: dict[str, Any], *, fails: bool = False) -> tuple[Any, bool]:
    """A request whose effect is a relay item of its own."""

    def effect() -> dict[str, Any]:
        enqueue("finance", "effect", f"{key} {count(key)}", {})
        if fails:
            raise Refused
        return {"amount": Decimal("1.10")}

    return once("finance", key, SCOPE, hash_request(body), effect)


def count(key: str) -> int:
    """How many effects a key had."""
    with cursor("finance") as cur:
        cur.execute("select count(*) from relay_item where kind = 'effect' and key like %s", [f"{key} %"])
        return int(cur.fetchone()[0])


def test_repeat_gets_the_stored_answer_and_no_second_effect(module_erp: ErpDatabase) -> None:
    assert send("repeat", {"a": 1}) == ({"amount": Decimal("1.10")}, False)
    assert send("repeat", {"a": 1}) == ({"amount": "1.10"}, True)
    assert count("repeat") == 1


def test_same_key_from_several_processes_at_once_has_one_effect(module_erp: ErpDatabase) -> None:
    senders = [module_erp.popen(SENDER, ERP_LOCK_TIMEOUT_MS="20000") for _ in range(3)]
    for sender in senders:
        assert sender.stdout is not None
        assert sender.stdout.readline() == "ready\n"
    answers = []
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    for sender in senders:
        output, errors = sender.communicate(timeout=60)
        assert sender.returncode == 0, errors
        answers.append(json.loads(output))
    assert len({answer["by"] for answer, _ in answers}) == 1
    assert [repeated for _, repeated in answers].count(False) == 1
    assert count("at once") == 1


def test_other_request_under_a_used_key_is_refused(module_erp: ErpDatabase) -> None:
    send("reused", {"a": 1})
    with pytest.raises(IdempotencyConflict):
        send("reused", {"a": 2})
    assert count("reused") == 1


def test_same_key_in_another_scope_is_another_request(module_erp: ErpDatabase) -> None:
    send("scoped", {"a": 1})
    assert once("finance", "scoped", "POST /other", hash_request({"a": 2}), dict) == ({}, False)


def test_refused_effect_leaves_no_key_and_may_be_repeated(module_erp: ErpDatabase) -> None:
    with pytest.raises(Refused):
        send("refused", {"a": 1}, fails=True)
    assert (find_answer("finance", "refused", SCOPE), count("refused")) == (None, 0)
    assert send("refused", {"a": 1})[1] is False
    assert find_answer("finance", "refused", SCOPE) == {"amount": "1.10"}


def test_key_whose_first_request_does_not_end_is_answered_with_busy(module_erp: ErpDatabase) -> None:
    with module_erp.connect("finance") as first, first.transaction(force_rollback=True):
        first.execute(
            "insert into idempotency_key (scope, key, request_hash, status) values (%s, 'slow', %s, 200)",
            [SCOPE, hash_request({"a": 1})],
        )
        with pytest.raises(OwnerBusy):
            send("slow", {"a": 1})
    assert send("slow", {"a": 1})[1] is False
