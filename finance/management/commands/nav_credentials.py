"""``manage.py nav_credentials ENDPOINT``: store the technical user of the test or live system, encrypted."""

from __future__ import annotations

import argparse
import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.actor import SYSTEM
from finance.nav.credentials import ENDPOINTS
from finance.services.reporting.secrets import NAMES, store_credentials, variable


class Command(BaseCommand):
    help = (
        "Asks for login, password, signing key and exchange key and keeps them in the database, encrypted with a key "
        "that follows from ERP_SECRET_KEY. The same variables in the environment (ERP_NAV_LOGIN...) go first."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("endpoint", choices=sorted(ENDPOINTS))
        parser.add_argument("--from-environment", action="store_true", help="take them from there, without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {name: self._value(name, options["from_environment"]) for name in NAMES}
        missing = [variable(name) for name, value in values.items() if not value]
        if missing:
            raise CommandError(f"nothing is stored: {', '.join(missing)} is missing")
        store_credentials(options["endpoint"], values, SYSTEM)
        self.stdout.write(f"The technical user of the {options['endpoint']} system is stored, encrypted.")

    def _value(self, name: str, from_environment: bool) -> str:
        if from_environment:
            return os.environ.get(variable(name), "")
        return getpass.getpass(f"{name.replace('_', ' ').capitalize()}: ").strip()
