"""``manage.py migrate``: each module alone, in its own schema, with its own migrations table."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from erp import ownership
from erp.provision import create_roles_and_schemas


class Command(DjangoMigrate):
    """Migrate every module, or the one named."""

    help = "Migrates each module in its own schema: all of them, or the app or database named."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create roles and schemas when missing, then migrate app by app."""
        if not settings.RUNS_AS_DDL:
            raise CommandError("migrate needs the migrating roles: start it through manage.py or set ERP_DB_ROLE=ddl")
        if settings.ENVIRONMENT.has_administrator:
            create_roles_and_schemas(settings.ENVIRONMENT, connections["default"].settings_dict["NAME"])
        labels = self._labels(options["app_label"])
        for label in labels:
            alias = ownership.alias_of(ownership.module_of_app(label))
            super().handle(*args, **{**options, "app_label": label, "database": alias})

    def _labels(self, only: str | None) -> list[str]:
        if only:
            return [only]
        with_migrations = [
            c.label
            for c in apps.get_app_configs()
            if c.label in ownership.PLATFORM_APPS | set(ownership.MODULES) and _has_migrations(c.name)
        ]
        # contenttypes and auth first: the others' permissions refer to them
        first = ["contenttypes", "auth", "erp"]
        return [label for label in first if label in with_migrations] + [
            label for label in with_migrations if label not in first
        ]


def _has_migrations(app_name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"{app_name}.migrations") is not None
