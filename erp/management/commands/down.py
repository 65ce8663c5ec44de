"""``manage.py down``: stop everything of this home. ``make stop`` calls it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from erp.supervisor.stopping import stop_all


class Command(BaseCommand):
    """Also clears up after a run that was killed."""

    help = "Stops what `up` started, and the embedded servers."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop and tell."""
        self.stdout.write("Stopped." if stop_all(settings.ERP_HOME) else "Nothing was running.")
