"""Whatever was killed, lost or left over: the next start comes up by itself."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from erp import embedded
from erp.embedded import processes
from tests.erp.embedded.sql import ask, redis_of


def kill_both(home: Path) -> None:
    status = embedded.status(home)
    for pid in (status.postgres, status.valkey):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert processes.wait_until(lambda pid=pid: processes.command_of(pid) is None, 10)  # type: ignore[misc]


def test_killed_servers_start_again(home: Path) -> None:
    services = embedded.ensure(home)
    ask(services, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill_both(home)
    assert embedded.status(home).postgres is None
    again = embedded.ensure(home)
    assert ask(again, "SELECT answer FROM kept") == 42
    with redis_of(again) as client:
        assert client.ping()


def test_busy_backend_of_a_killed_server_is_ended(home: Path) -> None:
    services = embedded.ensure(home)
    busy = psycopg.connect(
        host=services.postgres_host, user="postgres", password=services.postgres_password, dbname="erp"
    )
    backend = busy.info.backend_pid
    # Busy in its processor, a backend does not notice that the postmaster is gone.
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000) a WHERE a % 7 = 8")
    running = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'"
    assert processes.wait_until(lambda: ask(services, running) == 1, timeout_s=30)
    kill_both(home)
    assert processes.command_of(backend) is not None
    assert ask(embedded.ensure(home), "SELECT 1") == 1
    assert processes.command_of(backend) is None
    busy.close()


def test_stale_pid_files_naming_a_live_stranger(home: Path) -> None:
    embedded.ensure(home)
    embedded.stop(home)
    stranger = subprocess.Popen(["sleep", "60"])
    lines = [str(stranger.pid), str(home / "postgres/data"), "1", "5432", str(home / "run"), "", "1 1", "ready   "]
    (home / "postgres/data/postmaster.pid").write_text("\n".join(lines) + "\n")
    (home / "run/.s.PGSQL.5432.lock").write_text("\n".join(lines) + "\n")
    (home / "run/.s.PGSQL.5432").write_text("")
    (home / "run/redis.sock").write_text("")
    (home / "valkey/valkey.pid").write_text(f"{stranger.pid}\n")
    assert embedded.status(home) == embedded.Status(initialised=True, postgres=None, valkey=None)
    embedded.stop(home)
    services = embedded.ensure(home)
    assert ask(services, "SELECT 1") == 1
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("name", [".s.PGSQL.5432", "redis.sock"])
def test_deleted_socket_comes_back(home: Path, name: str) -> None:
    services = embedded.ensure(home)
    (Path(services.postgres_host) / name).unlink()
    services = embedded.ensure(home)
    assert ask(services, "SELECT 1") == 1
    with redis_of(services) as client:
        assert client.ping()


def test_lost_pid_file_of_valkey_leaves_no_second_server(home: Path) -> None:
    embedded.ensure(home)
    first = embedded.status(home).valkey
    (home / "valkey/valkey.pid").unlink()
    embedded.ensure(home)
    assert first is not None
    assert processes.command_of(first) is None
    assert embedded.status(home).valkey is not None


def test_interrupted_initialisation_is_repeated(home: Path) -> None:
    embedded.ensure(home)
    embedded.stop(home)
    (home / "postgres/initialised").unlink()
    (home / "postgres/data/global/pg_control").unlink()
    assert ask(embedded.ensure(home), "SELECT 1") == 1


def test_initialised_data_is_never_replaced(home: Path) -> None:
    embedded.ensure(home)
    embedded.stop(home)
    (home / "postgres/data/PG_VERSION").rename(home / "postgres/data/PG_VERSION.away")
    with pytest.raises(embedded.EmbeddedError, match="not a database cluster directory"):
        embedded.ensure(home)
    assert (home / "postgres/data/global/pg_control").exists()


def test_unloadable_valkey_data_is_moved_aside(home: Path) -> None:
    embedded.ensure(home)
    embedded.stop(home)
    manifest = next((home / "valkey/data/appendonlydir").glob("*.manifest"))
    manifest.write_text("broken\n")
    with redis_of(embedded.ensure(home)) as client:
        assert client.ping()
    assert list((home / "valkey").glob("data-not-loadable-*"))


def test_replaced_secrets_are_taken_over(home: Path) -> None:
    first = embedded.ensure(home)
    ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    for name in ("ddl.json", "runtime.json"):
        (home / "secrets" / name).unlink()
    second = embedded.ensure(home)
    assert second.postgres_password != first.postgres_password
    assert ask(second, "SELECT answer FROM kept") == 42
    with redis_of(second) as client:
        assert client.ping()
