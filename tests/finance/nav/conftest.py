"""The official files these tests compare with. Where they are, nothing is skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from finance.nav.client import NavClient
from finance.nav.schema import NavSchema, load_schema
from finance.nav.standin.server import StandInServer
from tests.finance.nav.official import SHARED_NAV
from tests.finance.nav.stand_in_kit import client_of, config, running


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


@pytest.fixture
def stand_in(official_files: Path, tmp_path: Path) -> Iterator[StandInServer]:
    """A fresh stand-in over HTTP, its clock standing at `NOW`."""
    with running(config(official_files, tmp_path)) as server:
        yield server


@pytest.fixture
def client(stand_in: StandInServer, nav_schema: NavSchema) -> NavClient:
    """The supplier's client on the fresh stand-in."""
    return client_of(stand_in, nav_schema)
