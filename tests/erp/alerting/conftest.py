"""A committed database shared by a file's tests, emptied of alerts before each, and three local receivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from erp.models import Alert, AlertDelivery, ScrubRun
from tests.databases import ErpDatabase
from tests.erp.alerting.receivers import ROUTING_KEY, Receivers, listening


@pytest.fixture
def erp(module_erp: ErpDatabase, django_db_blocker: Any) -> Iterator[ErpDatabase]:
    """The file's database without any alert or run."""
    with django_db_blocker.unblock():
        AlertDelivery.objects.all().delete()
        Alert.objects.all().delete()
        ScrubRun.objects.all().delete()
        yield module_erp


@pytest.fixture
def receivers(settings: Any) -> Iterator[Receivers]:
    """PagerDuty, Slack and SMTP on this machine, named by the settings."""
    with listening() as here:
        settings.ALERTING = {
            "pagerduty_routing_key": ROUTING_KEY,
            "pagerduty_url": here.pagerduty_url,
            "slack_webhook_url": here.slack_url,
            "email_to": ["ops@example.com", "boss@example.com"],
        }
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", here.smtp_port
        yield here
