"""A large copy is rebuilt by a worker: the request is a row, so that a lost message or a dead worker loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp.actor import Actor
from erp.board import actions
from erp.errors import Refused
from erp.models import Rebuild, ScrubRun
from erp.ownership import entity
from erp.replication.positions import pair_state
from erp.replication.resync import detach
from erp.schedule import generated_tasks
from erp.scrubber.engine import run_pending
from erp.scrubber.rebuilds import request_rebuild, run_rebuilds
from erp.tasks import rebuild_pending
from tests.databases import ErpDatabase

BOARD = "/admin/ownership/"
CLERK = Actor(7, "Clerk")


@pytest.fixture
def _copies_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "INLINE_ROWS", 100)


def drop_half(erp: ErpDatabase) -> None:
    with erp.connect("postgres") as rogue:
        rogue.execute("delete from logistics.customer_copy where id % 2 = 0")


@pytest.mark.usefixtures("_copies_are_large")
def test_rebuild_of_a_large_copy_waits_as_a_row_for_the_periodic_task(staff: Client, module_erp: ErpDatabase) -> None:
    drop_half(module_erp)
    page = staff.post(BOARD, {"entity": "customer", "reader": "logistics", "verb": "resync"}, follow=True)
    assert "A worker rebuilds Logistics" in page.content.decode()  # no worker and no broker is there
    (shown,) = staff.get(f"{BOARD}?format=json").json()["rebuilds"]
    assert (shown["status"], shown["asked_by"]) == ("requested", "admin_staff")
    assert 'data-rebuild="customer/logistics"' in page.content.decode()
    assert "erp.rebuild_pending" in {task.task for task in generated_tasks()}
    assert rebuild_pending() == 1
    done = Rebuild.objects.latest("id")
    assert (done.status, done.changed, done.removed) == ("done", 1000, 0)
    assert ScrubRun.objects.latest("id").names == ["customers"]
    run_pending()
    with module_erp.connect("admin_app") as owner:
        who = owner.execute("select actor_name from change_journal where entity = 'resync' order by seq desc limit 1")
        assert who.fetchone() == ("admin_staff",)
    assert rebuild_pending() == 0


@pytest.mark.usefixtures("staff")
def test_rebuild_whose_worker_died_begins_again_and_is_given_up_after_three(module_erp: ErpDatabase) -> None:
    drop_half(module_erp)
    asked = request_rebuild("customer", "logistics", actor=CLERK)
    assert request_rebuild("customer", "logistics", actor=CLERK).pk == asked.pk
    with pytest.raises(Refused, match="Clerk asked for another rebuild"):
        request_rebuild("customer", "logistics", actor=CLERK, keys=[1])
    Rebuild.objects.filter(pk=asked.pk).update(status="running", attempts=3)
    (ended,) = run_rebuilds()
    assert (ended.status, ended.error) == ("failed", "The workers that rebuilt it died")
    again = request_rebuild("customer", "logistics", actor=CLERK)
    Rebuild.objects.filter(pk=again.pk).update(status="running", attempts=2)
    (ended,) = run_rebuilds()
    assert (ended.status, ended.changed) == ("done", 1000)


@pytest.mark.usefixtures("_copies_are_large")
def test_worker_attaches_a_large_copy_again(staff: Client) -> None:
    detach("customer", "finance", "moving disks", actor=CLERK)
    staff.post(BOARD, {"entity": "customer", "reader": "finance", "verb": "attach"})
    assert not pair_state(entity("customer"), "finance").attached
    (done,) = run_rebuilds()
    assert (done.status, pair_state(entity("customer"), "finance").attached) == ("done", True)


def test_button_beside_the_samples_rebuilds_those_rows_alone(
    staff: Client, scrubbed: dict[str, Any], module_erp: ErpDatabase
) -> None:
    key = scrubbed["key"]
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set city = 'Elsewhere' where id in (%s, %s)", [key, key + 1])
    page = staff.get(f"{BOARD}runs/{scrubbed['found'].pk}/customers/")
    (repair,) = page.context["repairs"]
    assert (repair.entity, repair.reader, repair.keys_text, repair.more) == ("customer", "finance", str(key), 0)
    form = {"entity": repair.entity, "reader": repair.reader, "keys": repair.keys_text, "verb": "resync"}
    assert f'name="keys" required value="{key}"' in page.content.decode()
    answer = staff.post(BOARD, form, follow=True)
    assert "1 rows set as the owner has them" in answer.content.decode()
    with module_erp.connect("finance") as reader:
        wrong = reader.execute("select id from customer_copy where city = 'Elsewhere'").fetchall()
    assert wrong == [(key + 1,)]


def test_older_runs_are_on_further_pages(staff: Client) -> None:
    ScrubRun.objects.bulk_create(ScrubRun(trigger="manual", status="ok") for _ in range(60))
    first = staff.get(f"{BOARD}runs/?format=json").json()
    assert (first["page"], first["pages"]) == (1, 2)
    last = staff.get(f"{BOARD}runs/?format=json&page=2").json()["runs"]
    assert {run["id"] for run in last}.isdisjoint(run["id"] for run in first["runs"])
    assert len(first["runs"]) + len(last) == first["total"] == ScrubRun.objects.count()
    assert "Page 1 of 2" in staff.get(f"{BOARD}runs/").content.decode()
    assert "?page=1" in staff.get(f"{BOARD}runs/?page=2").content.decode()
