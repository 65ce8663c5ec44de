"""Fixtures: the official schemas, a stand-in over HTTP, and the outbox's client on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from finance.nav.schema import NavSchema, load_schema
from tests.databases import ErpDatabase
from tests.finance.nav.official import SHARED_NAV
from tests.finance.reporting.stand_in import StandInProcess, running
from tests.finance.world import World, make_world


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


@pytest.fixture(scope="module")
def books(module_erp: ErpDatabase) -> World:
    """Books that all tests of one file write into: none depends on another's documents."""
    return make_world()


@pytest.fixture(scope="module")
def nav(official_files: Path, books: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInProcess]:
    """A stand-in process that these books are reported to."""
    with running(tmp_path_factory.mktemp("nav") / "nav.sqlite3") as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "nav" in request.fixturenames:
        stand_in: StandInProcess = request.getfixturevalue("nav")
        if stand_in.process is not None and stand_in.process.poll() is None:
            stand_in.inject()
