"""A home and servers of the benchmarks' own, with fsync on; import before Django is set up."""

import os
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent

os.environ.setdefault("ERP_HOME", str(PROJECT_DIR / "var" / "bench"))
os.environ.setdefault("ERP_SEND_HINTS", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")
