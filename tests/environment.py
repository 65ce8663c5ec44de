"""Loaded before everything else (``-p tests.environment``): tests have servers and a home of their own."""

import os
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent

os.environ.setdefault("ERP_HOME", str(PROJECT_DIR / "var" / "test"))
os.environ.setdefault("ERP_SHARED_DIR", str(PROJECT_DIR.parent / "shared"))
os.environ.setdefault("ERP_SEND_HINTS", "0")  # tests run relays and copies themselves
os.environ.setdefault("ERP_LOCK_TIMEOUT_MS", "700")
os.environ.setdefault("ERP_EMAIL_URL", "memory://")
# Test databases are thrown away: no test pulls the plug of the machine.
os.environ.setdefault("ERP_PG_EXTRA", "-c fsync=off -c full_page_writes=off -c synchronous_commit=off")
os.environ.pop("ERP_DB_ROLE", None)
