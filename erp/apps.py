"""Django app of the platform."""

from django.apps import AppConfig


class ErpConfig(AppConfig):
    """The platform under the modules: users, ownership map, replication, scrubber, API base."""

    name = "erp"
    verbose_name = "Platform"

    def ready(self) -> None:
        """Make our Celery application the one that hints are sent through, in every process."""
        from erp import celery

        celery.app.set_current()
        celery.app.set_default()
