"""Start, stop and start again; what is private stays private."""

import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from erp import embedded
from erp.embedded import processes
from tests.erp.embedded.sql import ask, redis_of


def test_data_survives_stop_and_start(home: Path) -> None:
    services = embedded.ensure(home)
    ask(services, "CREATE TABLE kept AS SELECT 42 AS answer")
    with redis_of(services) as client:
        client.set("kept", "yes")
    embedded.stop(home)
    assert embedded.status(home) == embedded.Status(initialised=True, postgres=None, valkey=None)
    again = embedded.ensure(home)
    assert again == services
    assert ask(again, "SELECT answer FROM kept") == 42
    with redis_of(again) as client:
        assert client.get("kept") == b"yes"


def test_repeat_leaves_the_same_servers_running(home: Path) -> None:
    embedded.ensure(home)
    first = embedded.status(home)
    embedded.ensure(home)
    assert embedded.status(home) == first
    assert first.postgres is not None
    assert first.valkey is not None


def test_describe_starts_nothing(home: Path) -> None:
    assert embedded.describe(home) is None
    assert not home.exists()
    services = embedded.ensure(home)
    embedded.stop(home)
    assert embedded.describe(home) == services
    assert embedded.status(home).postgres is None


def test_describe_works_without_the_ddl_secrets(home: Path) -> None:
    services = embedded.ensure(home)
    (home / "secrets" / "ddl.json").rename(home / "hidden.json")
    described = embedded.describe(home)
    assert described is not None
    assert described.redis_url == services.redis_url
    assert described.postgres_password == ""
    assert not (home / "secrets" / "ddl.json").exists()
    (home / "hidden.json").rename(home / "secrets" / "ddl.json")


def test_servers_are_closed_to_others(home: Path) -> None:
    services = embedded.ensure(home)
    assert stat.S_IMODE(Path(services.postgres_host).stat().st_mode) == 0o700
    assert Path(services.postgres_host) == embedded.socket_dir(home) == home / "run"
    assert ask(services, "SHOW listen_addresses") == ""
    assert ask(services, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'") == 0
    for database in ("postgres", "template1", "erp"):
        assert ask(services, f"SELECT has_database_privilege('pg_monitor', '{database}', 'CONNECT')") is False
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=services.postgres_host, user="postgres", password="wrong", dbname="erp")
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o022 == 0 or path.is_socket(), path


def test_durable_by_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ERP_PG_EXTRA")
    services = embedded.ensure(home)
    assert ask(services, "SHOW fsync") == "on"
    assert ask(services, "SHOW max_connections") == "300"
    assert int(ask(services, "SHOW server_version_num")) >= 180000


def test_malformed_extra_options_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_PG_EXTRA", "fsync=off")
    with pytest.raises(embedded.EmbeddedError, match="ERP_PG_EXTRA must read"):
        embedded.ensure(home)


def test_many_processes_start_one_server(home: Path) -> None:
    code = f"from pathlib import Path; from erp import embedded; embedded.ensure(Path({str(home)!r}))"
    starters = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(5)]
    assert [starter.wait(60) for starter in starters] == [0] * 5
    services = embedded.describe(home)
    assert services is not None
    assert ask(services, "SELECT 1") == 1


def test_servers_in_use_are_not_stopped_when_idle_is_asked(home: Path) -> None:
    services = embedded.ensure(home)
    with psycopg.connect(
        host=services.postgres_host, user="postgres", password=services.postgres_password, dbname="erp"
    ):
        assert embedded.stop_if_idle(home) is False
        assert embedded.status(home).postgres is not None
    assert processes.wait_until(lambda: embedded.stop_if_idle(home), 5)
    assert embedded.status(home).postgres is None


def test_command_line_tells_what_runs(home: Path) -> None:
    def run(action: str) -> str:
        command = [sys.executable, "-m", "erp.embedded", action, str(home)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "PostgreSQL stopped, Valkey stopped" in run("status")
    assert "stopped" not in run("start")
    assert "PostgreSQL stopped, Valkey stopped" in run("stop")


def test_destroy_leaves_only_what_is_not_ours(home: Path) -> None:
    embedded.ensure(home)
    (home / "note.txt").write_text("mine")
    embedded.destroy(home)
    assert [path.name for path in home.iterdir()] == ["note.txt"]
    assert embedded.describe(home) is None
