"""Django app of the platform."""

from django.apps import AppConfig


class ErpConfig(AppConfig):
    """The platform under the modules: users, ownership map, replication, scrubber, API base."""

    name = "erp"
    verbose_name = "Platform"
