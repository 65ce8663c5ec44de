"""Hints go to our own broker from every process, not only from workers."""

from celery import current_app
from django.conf import settings

from erp.tasks import relay


def test_every_process_hints_through_our_broker() -> None:
    assert current_app.conf.broker_url == settings.CELERY_BROKER_URL
    assert relay.app.conf.broker_url == settings.CELERY_BROKER_URL
