"""The official files these tests compare with. Where they are, nothing is skipped."""

from pathlib import Path

import pytest

from finance.nav.schema import NavSchema, load_schema
from tests.finance.nav.official import SHARED_NAV


@pytest.fixture(scope="session")
def official_files() -> Path:
    """The folder with the NAV's schemas and samples; skips, and says why, only when it is missing."""
    if not SHARED_NAV.is_dir():
        pytest.skip(f"not compared with the official NAV files: {SHARED_NAV} is missing (set ERP_SHARED_DIR)")
    return SHARED_NAV


@pytest.fixture(scope="session")
def nav_schema(official_files: Path) -> NavSchema:
    """The compiled official XSD set."""
    return load_schema(official_files / "xsd")
