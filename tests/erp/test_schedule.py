"""Beat's schedule is generated from the ownership map; what staff added stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from erp import ownership
from erp.celery import app
from erp.ownership import MODULES
from erp.schedule import COPIES_QUEUE, GENERATED, generated_tasks, sync_schedule

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture(autouse=True)
def _schedule(db: None) -> None:
    sync_schedule()


def rows() -> list[dict[str, Any]]:
    return list(PeriodicTask.objects.order_by("name").values())


def test_every_windowed_copy_runs_at_a_third_of_its_window_on_the_copies_queue() -> None:
    found = {tuple(json.loads(t.args)): t for t in PeriodicTask.objects.filter(task="erp.copy")}
    assert set(found) == {(e.name, source, reader) for e, source, reader in ownership.windowed_pairs()}
    for entity, source, reader in ownership.windowed_pairs():
        task = found[entity.name, source, reader]
        assert task.interval.period == IntervalSchedule.SECONDS
        assert task.interval.every == pytest.approx(entity.window_s / 3, abs=1)
        assert (task.queue, task.enabled) == (COPIES_QUEUE, True)
        assert task.expires is None
        assert task.expire_seconds == task.interval.every  # a run that comes late is superseded by the next


def test_every_modules_relay_runs_every_few_seconds_on_its_own_queue() -> None:
    found = PeriodicTask.objects.filter(task="erp.relay")
    assert {(t.queue, *json.loads(t.args)) for t in found} == {(m, m) for m in MODULES}
    assert all(t.interval.every <= 5 for t in found)


def test_times_of_day_are_utc() -> None:
    daily = PeriodicTask.objects.exclude(crontab=None)
    assert daily.exists()
    assert {str(t.crontab.timezone) for t in daily} == {"UTC"}
    assert str(app.conf.timezone) == "UTC"
    assert app.conf.enable_utc is True


def test_every_scheduled_task_is_known_to_the_workers() -> None:
    app.loader.import_default_modules()
    assert {t.task for t in generated_tasks()} - set(app.tasks) == set()


def test_second_sync_changes_nothing() -> None:
    before, told = rows(), PeriodicTasks.last_change()
    assert sync_schedule() == len(before)
    assert rows() == before
    assert PeriodicTasks.last_change() == told  # beat is not made to read the schedule again


def test_staffs_own_entries_stay() -> None:
    own = PeriodicTask.objects.create(
        name="mine", task="erp.heartbeat", interval=IntervalSchedule.objects.create(every=7, period="minutes")
    )
    sync_schedule()
    assert PeriodicTask.objects.get(name="mine") == own


def test_entry_switched_off_by_staff_stays_off_and_a_changed_one_is_set_right() -> None:
    name = "copy stock logistics -> storefront"
    slow = IntervalSchedule.objects.create(every=99, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(name=name).update(enabled=False, interval=slow, queue="elsewhere")
    sync_schedule()
    task = PeriodicTask.objects.get(name=name)
    assert (task.enabled, task.interval.every, task.queue) == (False, 5, COPIES_QUEUE)


def test_entry_of_a_copy_that_left_the_map_goes() -> None:
    stale = PeriodicTask.objects.get(name="copy stock logistics -> storefront")
    stale.pk, stale.name = None, "copy stock logistics -> nobody"
    stale.save()
    sync_schedule()
    assert not PeriodicTask.objects.filter(name__endswith="nobody").exists()
    assert PeriodicTask.objects.filter(description=GENERATED).count() == len(generated_tasks())


def test_schedule_that_staff_made_twice_stops_nothing() -> None:
    for _ in range(2):
        IntervalSchedule.objects.create(every=5, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.all().delete()
    assert sync_schedule() == PeriodicTask.objects.count()
