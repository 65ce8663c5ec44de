"""The board is the ownership map, live: as a page, as JSON, with history, samples and what staff may do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp import ownership
from erp.alerts import raise_alert
from erp.models import ScrubRun
from erp.replication.positions import attachment
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_pending
from tests.databases import ErpDatabase
from tests.people import staff_client

BOARD = "/admin/ownership/"
PAIRS = [(entity.name, reader) for entity in ownership.ENTITIES for reader in entity.readers]


def board(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{BOARD}?format=json").json()
    return found


def pair(client: Client, entity: str, reader: str) -> dict[str, Any]:
    return next(p for p in board(client)["pairs"] if (p["entity"], p["reader"]) == (entity, reader))


def test_json_has_every_pair_with_age_and_last_check(staff: Client, scrubbed: dict[str, Any]) -> None:
    found = board(staff)
    assert [(p["entity"], p["reader"]) for p in found["pairs"]] == PAIRS
    stock = pair(staff, "stock", "storefront")
    assert (stock["window_s"], stock["attached"], stock["pending"]) == (15, True, 0)
    assert 0 < stock["age_s"] <= stock["worst_today_s"]
    drifted = pair(staff, "customer", "finance")["last_scrub"]
    assert (drifted["check"], drifted["run"]) == ("customers", scrubbed["found"].pk)
    assert (drifted["compared"], drifted["mismatched"], drifted["drift"]) == (2000, 1, 0.0005)
    assert pair(staff, "customer", "logistics")["last_scrub"]["mismatched"] == 0
    assert [c["name"] for c in found["checks"]] == [spec.name for spec in all_checks()]


def test_accept_header_asks_for_json_too(staff: Client) -> None:
    assert staff.get(BOARD, headers={"Accept": "application/json"}).json()["pairs"]
    assert "text/html" in staff.get(BOARD, headers={"Accept": "text/html,*/*"})["Content-Type"]


def test_page_shows_plots_drift_and_incidents_from_this_host_only(staff: Client) -> None:
    raise_alert("window:stock:storefront", "Storefront's copy of stock is 16 s old <b>")
    page = staff.get(BOARD).content.decode()
    assert page.count('<svg class="plot"') >= 5
    assert "1 of 2000 differ" in page
    assert "is 16 s old &lt;b&gt;" in page
    assert 'src="http' not in page
    for entity, reader in PAIRS:
        assert f'data-pair="{entity}/{reader}"' in page


def test_samples_stand_side_by_side(staff: Client, scrubbed: dict[str, Any]) -> None:
    answer = staff.get(f"{BOARD}runs/{scrubbed['found'].pk}/customers/")
    (sample, columns), *more = answer.context["rows"]
    assert more == []
    assert sample["key"] == f"finance/customer {scrubbed['key']}"
    assert [(name, right) for name, _, right, differs in columns if differs] == [("city", "Elsewhere")]
    assert f"resync customer finance --keys {scrubbed['key']}" in answer.content.decode()


def test_history_lists_runs_and_their_checks(staff: Client, scrubbed: dict[str, Any]) -> None:
    runs = staff.get(f"{BOARD}runs/?format=json").json()["runs"]
    assert {scrubbed["clean"].pk, scrubbed["found"].pk} <= {run["id"] for run in runs}
    run = staff.get(f"{BOARD}runs/{scrubbed['clean'].pk}/?format=json").json()
    assert (run["done"], run["total"]) == (len(all_checks()), len(all_checks()))
    assert staff.get(f"{BOARD}runs/").status_code == 200
    assert staff.get(f"{BOARD}incidents/").status_code == 200
    assert staff.get(f"{BOARD}runs/999999/").status_code == 404


def test_run_now_is_a_row_that_workers_take_up(staff: Client) -> None:
    staff.post(f"{BOARD}runs/", {"check": "products"})
    asked = ScrubRun.objects.latest("id")
    assert (asked.status, asked.trigger, asked.names, asked.asked_by) == (
        "requested",
        "staff",
        ["products"],
        "admin_staff",
    )
    page = staff.get(f"{BOARD}runs/{asked.pk}/").content.decode()
    assert "Run asked for" in page
    run_pending()
    assert ScrubRun.objects.get(pk=asked.pk).status == "ok"


def test_rebuild_repairs_and_asks_for_the_check_again(staff: Client, module_erp: ErpDatabase) -> None:
    with module_erp.connect("postgres") as rogue:
        rogue.execute("delete from logistics.customer_copy where id % 2 = 0")
    answer = staff.post(BOARD, {"entity": "customer", "reader": "logistics", "verb": "resync"}, follow=True)
    assert "1000 rows set as the owner has them" in answer.content.decode()
    run = ScrubRun.objects.latest("id")
    assert (run.trigger, run.names, run.status) == ("repair", ["customers"], "requested")
    run_pending()
    assert pair(staff, "customer", "logistics")["last_scrub"]["mismatched"] == 0
    with module_erp.connect("admin_app") as owner:
        who = owner.execute("select actor_name from change_journal where entity = 'resync'").fetchall()
    assert who == [("admin_staff",)]


def test_detached_reader_is_shown_and_attached_again(staff: Client, module_erp: ErpDatabase) -> None:
    step = {"entity": "product", "reader": "finance"}
    staff.post(BOARD, {**step, "verb": "detach", "reason": "moving disks"})
    assert "moving disks" in staff.get(BOARD).content.decode()
    assert pair(staff, "product", "finance")["attached"] is False
    staff.post(BOARD, {**step, "verb": "attach"})
    assert attachment(ownership.entity("product"), "admin_app", "finance") == (True, "")
    assert ScrubRun.objects.latest("id").names == ["products"]
    with module_erp.connect("admin_app") as owner:
        repairs = owner.execute("select payload from change_journal where entity = 'resync' order by seq desc limit 1")
        payload = repairs.fetchall()[0][0]
    assert (payload["entity"], payload["reader"], payload["changed"]) == ("product", "finance", 0)


@pytest.mark.parametrize("verb", ["resync", "attach", "detach"])
def test_other_duties_cannot_repair(scrubbed: dict[str, Any], staff: Client, verb: str) -> None:
    step = {"entity": "stock", "reader": "admin_app", "verb": verb, "reason": "x"}
    assert staff.post(BOARD, step).status_code == 403


def test_staff_without_a_duty_see_ages_but_no_rows(staff: Client, scrubbed: dict[str, Any]) -> None:
    guest = staff_client("guest_staff")
    assert guest.get(BOARD).status_code == 200
    for page in ("runs/", f"runs/{scrubbed['found'].pk}/customers/", "incidents/", "report/"):
        assert guest.get(f"{BOARD}{page}").status_code == 403
    assert guest.post(BOARD, {"verb": "scrub"}).status_code == 403
    assert Client().get(BOARD).status_code == 302
