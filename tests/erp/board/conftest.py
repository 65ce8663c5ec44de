"""One committed database for a file: customers with a copy that differs, and two runs of the scrubber."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from admin_app.serializers import CustomerSerializer
from erp import ownership
from erp.replication.pull import run_copy
from erp.scrubber.engine import run_scrub
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.people import staff_client

ROWS = 2_000


@pytest.fixture(scope="module")
def scrubbed(module_erp: ErpDatabase, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Keys, the clean run, and the run that found Finance's copy of one customer changed."""
    with django_db_blocker.unblock():
        clear_caches()
        rows = [{"external_ref": f"x:{i}", "name": f"Customer {i}"} for i in range(ROWS)]
        keys = [row["id"] for row in CustomerSerializer.bulk_save(rows, validate=False)]
        for entity, source, reader in ownership.windowed_pairs():
            run_copy(entity.name, source, reader)
        clean = run_scrub()
        with module_erp.connect("postgres") as rogue:
            rogue.execute("update finance.customer_copy set city = 'Elsewhere' where id = %s", [keys[7]])
        found = run_scrub(["customers"])
        yield {"key": keys[7], "clean": clean, "found": found}


@pytest.fixture
def staff(scrubbed: dict[str, Any], module_erp: ErpDatabase, django_db_blocker: Any) -> Iterator[Client]:
    """Someone with Admin's duty."""
    with django_db_blocker.unblock():
        yield staff_client("admin_staff", duty="admin_app")
