"""``manage.py provision``: make roles, grants, doors and permissions equal to the ownership map."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from erp.duties import sync_duties
from erp.provision import create_roles_and_schemas, provision
from erp.schedule import sync_schedule


class Command(BaseCommand):
    """Idempotent; run after migrate."""

    help = "Makes roles, grants, doors, attachment rows and staff permissions equal to the ownership map."

    def handle(self, *args: Any, **options: Any) -> None:
        """Provision the database the settings point at."""
        environment = settings.ENVIRONMENT
        name = connections["default"].settings_dict["NAME"]
        if environment.has_administrator:
            create_roles_and_schemas(environment, name)
        provision(environment, name)
        sync_schedule()
        sync_duties()
        self.stdout.write("Roles, grants, doors and permissions are as the ownership map says.")
