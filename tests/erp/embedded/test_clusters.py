"""A second, independent cluster beside that of a home."""

import socket
from pathlib import Path

import psycopg
import pytest

from erp import embedded
from erp.embedded.postgres import start_cluster
from tests.erp.embedded.sql import ask


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_second_cluster_is_independent(place: Path) -> None:
    services = embedded.ensure(place / "home")
    port = free_port()
    second = start_cluster(place / "home-second", port=port, options=("fsync=off", "shared_buffers=16MB"))
    with psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", password=second.password, dbname="postgres"
    ) as link:
        row = link.execute(
            "SELECT system_identifier::text, current_setting('fsync') FROM pg_control_system()"
        ).fetchone()
    assert row is not None
    assert row[1] == "off"
    assert row[0] != ask(services, "SELECT system_identifier::text FROM pg_control_system()")
    second.stop()
    assert second.postmaster() is None
    assert embedded.status(place / "home").postgres is not None


def test_cluster_on_sockets_only(place: Path) -> None:
    cluster = start_cluster(place / "home-quiet", options=("fsync=off", "shared_buffers=16MB"))
    assert cluster.sql("SHOW listen_addresses") == ""
    with pytest.raises(embedded.EmbeddedError, match="SQL failed"):
        cluster.sql("SELECT nothing")
    cluster.stop(mode="immediate")
    cluster.ensure_running()
    assert cluster.sql("SELECT 1") == "1"
