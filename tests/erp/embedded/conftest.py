"""Homes with real servers in them, removed at the end whatever happened."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from erp import embedded


@pytest.fixture(autouse=True)
def _quick_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_PG_EXTRA", "-c fsync=off -c shared_buffers=16MB")


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory that any account can enter (pytest's own are 0700) with homes named home* in it."""
    directory = Path(tempfile.mkdtemp(prefix="erp-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    for home in sorted(directory.glob("**/home*")):
        embedded.destroy(home)
    shutil.rmtree(directory)


@pytest.fixture
def home(place: Path) -> Path:
    """Give a home in which nothing was set up yet."""
    return place / "home"
