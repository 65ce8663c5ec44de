"""Stuck documents: what, since when, why, and one button, for those whose duty it is, on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.errors import Refused
from erp.fields import load_json
from erp.registry import RelayKind, registry
from erp.relay import STUCK_AFTER, enqueue, run_relay
from tests.databases import ErpDatabase
from tests.people import staff_client

URL = "/admin/stuck/"


class Work:
    """Relay work of the kind ``test`` that fails until told otherwise."""

    def __init__(self) -> None:
        self.trouble = "Finance is closed"
        self.done: list[str] = []

    def __call__(self, payload: Any, key: str) -> None:
        if self.trouble:
            raise Refused(self.trouble)
        self.done.append(key)


@pytest.fixture
def work(fresh_erp: ErpDatabase, monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setitem(registry.relay_handlers, ("finance", "test"), made)
    kind = RelayKind("Test of document", lambda payload, key: (payload["number"], f"/admin/doc/{payload['number']}/"))
    monkeypatch.setitem(registry.relay_kinds, ("finance", "test"), kind)
    with module_transaction("finance"):
        enqueue("finance", "test", "a", {"number": "T-1"})
    run_relay("finance")
    return made


def documents(client: Client) -> list[dict[str, Any]]:
    answer = client.get(URL, headers={"Accept": "application/json"})
    assert answer["Content-Type"] == "application/json"
    found: list[dict[str, Any]] = answer.json()["documents"]
    return found


def retry(client: Client, key: str, source: str = "finance.relay") -> Any:
    return client.post(f"{URL}retry/", {"source": source, "key": key}, follow=True)


def test_failed_work_is_shown_with_its_document_and_done_by_the_button(work: Work) -> None:
    bookkeeper = staff_client("bookkeeper", duty="finance")
    page = bookkeeper.get(URL).content.decode()
    for part in ("Test of document: T-1", "/admin/doc/T-1/", "Refused: Finance is closed", "Try again"):
        assert part in page
    (row,) = documents(bookkeeper)
    assert (row["module"], row["attempts"], row["state"], row["age_s"] >= 0) == ("finance", 1, "waiting", True)
    assert "It failed again: Refused: Finance is closed" in retry(bookkeeper, row["key"]).content.decode()
    work.trouble = ""
    assert "Done." in retry(bookkeeper, row["key"]).content.decode()
    assert (work.done, documents(bookkeeper)) == (["a"], [])
    assert "It was done meanwhile" in retry(bookkeeper, row["key"]).content.decode()
    assert work.done == ["a"]


def test_every_use_of_the_button_is_on_record(work: Work) -> None:
    bookkeeper = staff_client("bookkeeper", duty="finance")
    (row,) = documents(bookkeeper)
    retry(bookkeeper, row["key"])
    work.trouble = ""
    retry(bookkeeper, row["key"])
    with cursor("finance") as cur:
        cur.execute(
            "select actor_name, payload::text as payload from change_journal where entity = 'retry' order by at"
        )
        entries = rows_as_dicts(cur)
    assert [entry["actor_name"] for entry in entries] == ["bookkeeper"] * 2
    assert [load_json(entry["payload"])["succeeded"] for entry in entries] == [False, True]
    assert "bookkeeper · Test of document: T-1 · It failed again" in bookkeeper.get(URL).content.decode()


def test_others_look_but_do_not_try(work: Work) -> None:
    packer = staff_client("packer", duty="logistics")
    (row,) = documents(packer)
    assert "Try again: Test" not in packer.get(URL).content.decode()
    assert retry(packer, row["key"]).status_code == 403
    assert staff_client("nobody").get(URL).status_code == 403
    assert Client().get(URL).status_code == 302
    bookkeeper = staff_client("bookkeeper", duty="finance")
    assert bookkeeper.get(f"{URL}retry/").status_code == 405
    assert retry(bookkeeper, row["key"], source="finance.nonsense").status_code == 403


def test_machines_try_again_and_get_problem_details(work: Work) -> None:
    bookkeeper = staff_client("bookkeeper", duty="finance")
    (row,) = documents(bookkeeper)
    form = {"source": row["source"], "key": row["key"]}
    refused = bookkeeper.post(f"{URL}retry/", form, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (409, "still-stuck")
    unknown = bookkeeper.post(f"{URL}retry/", {**form, "key": "999999"}, headers={"Accept": "application/json"})
    assert unknown.status_code == 404
    work.trouble = ""
    done = bookkeeper.post(f"{URL}retry/", form, headers={"Accept": "application/json"})
    assert (done.status_code, done.json()) == (200, {"outcome": "Done."})


def test_poisoned_item_is_marked_and_kept(work: Work, fresh_erp: ErpDatabase) -> None:
    bookkeeper = staff_client("bookkeeper", duty="finance")
    with fresh_erp.connect("finance") as finance:
        for _ in range(STUCK_AFTER):
            finance.execute("update relay_item set next_at = clock_timestamp()")
            run_relay("finance")
    (row,) = documents(bookkeeper)
    assert (row["state"], row["attempts"]) == ("stuck", STUCK_AFTER + 1)
    assert '<span class="state state-alert">stuck</span>' in bookkeeper.get(URL).content.decode()
    work.trouble = ""
    retry(bookkeeper, row["key"])
    assert work.done == ["a"]


def test_work_that_nobody_takes_up_is_shown(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("logistics") as logistics:
        logistics.execute(
            "insert into relay_item (kind, key, payload, next_at) values "
            "('value_moves', 'new', '{}', now()), ('value_moves', 'old', '{}', now() - interval '61 s')"
        )
    (row,) = documents(staff_client("packer", duty="logistics"))
    assert row["what"] == "Valuation of stock moves: old"  # a payload that cannot be read hides nothing
    assert "Nobody has taken it up" in row["reason"]
    assert row["url"].startswith("/admin/logistics/relayitem/")
