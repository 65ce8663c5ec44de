"""Periodic work of Finance; may run twice, late or concurrently."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from finance.errors import ReportingNotSetUp
from finance.services.recurring import post_due
from finance.services.sealing import seal_pending


@shared_task(name="finance.seal")
def seal() -> int:
    """Chain the entries committed since the last run; returns their number."""
    return seal_pending()


@shared_task(name="finance.report_to_nav")
def report_to_nav() -> dict[str, int]:
    """Send reports that wait and ask about those under way; nothing while reporting is not set up."""
    from finance.services.reporting import annulling, following, outbox, watching
    from finance.services.reporting.connection import OFF, connect, say_once

    try:
        client = connect()
    except ReportingNotSetUp as error:  # the watchdog tells once reports are due
        if settings.NAV["endpoint"] != OFF:
            say_once(error.message)
        return {}
    done = outbox.send_waiting(client)
    annulling.send_annulments(client)
    done |= following.follow(client)
    watching.tell()
    return done


@shared_task(name="finance.post_recurring")
def post_recurring() -> int:
    """Post the recurring entries that are due; returns how many are new."""
    return post_due()
