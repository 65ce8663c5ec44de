"""``manage.py demo_data``: people, masters, stock and a shop to try the system with."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand

from erp.actor import SYSTEM, acting_as
from erp.demo import create_people
from erp.ownership import MODULES

# VAT codes and accounts come first: products name a VAT code, goods receipts are posted.
ORDER = sorted(MODULES, key=lambda module: (module != "finance", MODULES.index(module)))


class Command(BaseCommand):
    """Idempotent: what exists is left as it is."""

    help = "Loads the demo: people with duties, and each module's services/demo.py."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create people, then let every module load its own."""
        with acting_as(SYSTEM):
            people = create_people()
            self.stdout.write(f"people: {', '.join(login.username for login in people)}")
            for module in ORDER:
                name = f"{module}.services.demo"
                if find_spec(name) is not None:
                    made = import_module(name).load_demo(SYSTEM)
                    self.stdout.write(f"{module}: {', '.join(f'{n} {what}' for what, n in made.items())}")
