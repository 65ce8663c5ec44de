"""The Celery application. Tasks are hints and clocks: what must happen is a row in PostgreSQL first."""

import os
from typing import Any

from celery import Celery, signals

from erp.actor import begin_request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")
app = Celery("erp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.task_prerun.connect
def _name_request(task_id: str, **_: Any) -> None:
    """What a task does is journalled under its own id, not under that of the process's first task."""
    begin_request(task_id)
