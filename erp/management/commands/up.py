"""``manage.py up``: start everything and keep it running. ``make run`` calls it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from erp.supervisor.run import AlreadyRunning, CannotStart, run
from erp.supervisor.welcome import welcome_text


class Command(BaseCommand):
    """The supervisor in the foreground."""

    help = "Starts servers, web, workers, beat and watchdog; prints URLs and demo logins; Ctrl-C stops all of it."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        try:
            run(settings.ENVIRONMENT, say=self._say, welcome=welcome_text)
        except AlreadyRunning as error:
            self._say(str(error))
        except CannotStart as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
