"""The Celery beat schedule, generated from the ownership map and the registry, kept in the database."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from erp import ownership
from erp.db import module_transaction
from erp.fields import dump_json
from erp.ownership import MODULES, PLATFORM, SCHEMAS
from erp.registry import PeriodicTask as Registered
from erp.registry import registry

M = TypeVar("M", bound=models.Model)

COPIES_QUEUE = "copies"
OUTSIDE_QUEUE = "outside"  # calls to services outside of the house, which may take a minute to answer
QUEUES = (COPIES_QUEUE, OUTSIDE_QUEUE, *SCHEMAS)  # each has its workers
RELAY_EVERY_S = 3
HEARTBEAT_EVERY_S = 5
GENERATED = "Generated from the ownership map"


def generated_tasks() -> list[Registered]:
    """Every periodic task of this installation."""
    tasks = [
        Registered(
            name=f"copy {entity.name} {source} -> {reader}",
            task="erp.copy",
            queue=COPIES_QUEUE,
            every_s=max(1, entity.window_s // 3),
            args=(entity.name, source, reader),
        )
        for entity, source, reader in ownership.windowed_pairs()
    ]
    tasks += [Registered(f"relay {m}", "erp.relay", m, every_s=RELAY_EVERY_S, args=(m,)) for m in MODULES]
    tasks += [Registered(f"heartbeat {q}", "erp.heartbeat", q, every_s=HEARTBEAT_EVERY_S, args=(q,)) for q in QUEUES]
    tasks += [
        Registered("nightly scrub", "erp.scrub", PLATFORM, crontab=("0", "3")),
        Registered("pending scrubs", "erp.scrub_pending", PLATFORM, every_s=60),
        Registered("pending rebuilds", "erp.rebuild_pending", PLATFORM, every_s=60),
        Registered("housekeeping", "erp.housekeeping", PLATFORM, crontab=("20", "2")),
    ]
    return tasks + registry.periodic_tasks


def sync_schedule() -> int:
    """Make django-celery-beat's tables equal to the generated schedule; staff's own entries stay."""
    tasks = generated_tasks()
    with module_transaction(PLATFORM):
        for task in tasks:
            _sync(task)
        PeriodicTask.objects.filter(description=GENERATED).exclude(name__in=[t.name for t in tasks]).delete()
    return len(tasks)


def _first_or_new(schedule: type[M], **values: Any) -> M:
    """Staff may have made the same schedule twice, so there may be more than one."""
    manager = schedule._default_manager
    return manager.filter(**values).order_by("pk").first() or manager.create(**values)


def _sync(task: Registered) -> None:
    interval = crontab = None
    if task.crontab:
        minute, hour = task.crontab
        crontab = _first_or_new(
            CrontabSchedule, minute=minute, hour=hour, day_of_week="*", day_of_month="*", month_of_year="*",
            timezone="UTC",
        )  # fmt: skip
    else:
        interval = _first_or_new(IntervalSchedule, every=task.every_s, period=IntervalSchedule.SECONDS)
    wanted = {
        "task": task.task,
        "interval": interval,
        "crontab": crontab,
        "queue": task.queue,
        "args": dump_json(list(task.args)),
        # A run that could not start within its interval is superseded by the next one.
        "expire_seconds": task.every_s or None,
        "description": GENERATED,
    }
    existing = PeriodicTask.objects.filter(name=task.name).first()
    if existing is None:
        PeriodicTask.objects.create(name=task.name, **wanted)
    elif any(getattr(existing, field) != value for field, value in wanted.items()):
        for field, value in wanted.items():
            setattr(existing, field, value)
        existing.save()
