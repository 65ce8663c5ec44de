"""Real servers given by URL: each right that is missing is named, with the statement that gives it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from erp import embedded, preflight
from erp.embedded.cluster import Cluster
from erp.embedded.postgres import start_cluster
from erp.environment import PROJECT_DIR, Environment


@dataclass
class RealServer:
    """A second PostgreSQL, reached by TCP as an administrator who is no superuser."""

    cluster: Cluster

    @property
    def url(self) -> str:
        return f"postgresql://installer:secret@127.0.0.1:{self.cluster.port}/shop"

    def check(self, **more: str) -> list[str]:
        return preflight.check_servers(environment(ERP_DATABASE_URL=self.url, **more))


def environment(**environ: str) -> Environment:
    is_embedded = not any(name.startswith("ERP_DATABASE_URL") for name in environ)
    return Environment(Path("/nonexistent"), is_embedded, "", "", "key", "erp", environ)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    directory = Path(tempfile.mkdtemp(prefix="erp-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    started = start_cluster(directory / "home", port=free_port(), options=("fsync=off", "shared_buffers=16MB"))
    yield started
    started.stop()
    embedded.destroy(directory / "home")
    shutil.rmtree(directory)


@pytest.fixture
def server(cluster: Cluster) -> Iterator[RealServer]:
    cluster.sql("CREATE ROLE installer LOGIN CREATEROLE PASSWORD 'secret'")
    cluster.sql("CREATE DATABASE shop OWNER installer")
    yield RealServer(cluster)
    cluster.sql("DROP DATABASE shop WITH (FORCE)")
    for role in cluster.sql("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'").split():
        cluster.sql(f"DROP ROLE {role}")


def assert_cured_by_its_own_sql(server: RealServer, problem: str) -> None:
    server.cluster.sql(problem.rpartition("gives it: ")[2], "shop")
    assert server.check() == []


def test_sufficient_rights_give_no_complaint(server: RealServer) -> None:
    assert server.check() == []


def test_missing_right_to_create_roles_is_named(server: RealServer) -> None:
    server.cluster.sql("ALTER ROLE installer NOCREATEROLE")
    (problem,) = server.check()
    assert problem == 'installer may not create roles; a superuser gives it: ALTER ROLE "installer" CREATEROLE;'
    assert_cured_by_its_own_sql(server, problem)


def test_missing_right_to_create_schemas_is_named(server: RealServer) -> None:
    server.cluster.sql("REVOKE CREATE ON DATABASE shop FROM installer")
    (problem,) = server.check()
    assert problem.endswith('GRANT CREATE ON DATABASE "shop" TO "installer";')
    assert_cured_by_its_own_sql(server, problem)


def test_foreign_database_is_named(server: RealServer) -> None:
    server.cluster.sql("ALTER DATABASE shop OWNER TO postgres; GRANT CREATE ON DATABASE shop TO installer")
    (problem,) = server.check()
    assert problem.startswith("installer does not own database shop")
    assert_cured_by_its_own_sql(server, problem)


def test_role_of_ours_that_may_not_be_altered_is_named(server: RealServer) -> None:
    server.cluster.sql("CREATE ROLE finance_ddl")
    (problem,) = server.check()
    assert problem.startswith("installer may not alter the existing role finance_ddl")
    assert_cured_by_its_own_sql(server, problem)


def test_several_missing_rights_are_all_named(server: RealServer) -> None:
    server.cluster.sql("ALTER ROLE installer NOCREATEROLE")
    server.cluster.sql("REVOKE CREATE ON DATABASE shop FROM installer")
    assert len(server.check()) == 2


def test_wrong_password_is_one_line(server: RealServer) -> None:
    url = server.url.replace("secret", "wrong")
    (problem,) = preflight.check_servers(environment(ERP_DATABASE_URL=url))
    assert problem.startswith("cannot log in as installer@127.0.0.1")
    assert "password authentication failed" in problem
    assert "wrong@" not in problem
    assert "\n" not in problem


def test_unreachable_server_is_one_line() -> None:
    url = f"postgresql://installer:secret@127.0.0.1:{free_port()}/shop"
    (problem,) = preflight.check_servers(environment(ERP_DATABASE_URL=url))
    assert "Connection refused" in problem
    assert "\n" not in problem


def test_old_version_is_refused(server: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "OLDEST_VERSION", 99)
    (problem,) = server.check()
    assert problem.startswith("PostgreSQL 99 or later is needed")
    assert "is version 18" in problem


def test_connection_budget_over_the_limit_is_named(server: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_WEB_THREADS", "100")
    (problem,) = server.check()
    assert problem.startswith("max_connections is 300, our processes may open 10")
    assert "ALTER SYSTEM SET max_connections" in problem


@pytest.mark.parametrize("other", ["127.0.0.1:1/shop", "127.0.0.2:{port}/shop", "127.0.0.1:{port}/other"])
def test_modules_in_different_places_are_refused(server: RealServer, other: str) -> None:
    place = other.format(port=server.cluster.port)
    (problem,) = server.check(ERP_DATABASE_URL_FINANCE=f"postgresql://finance:x@{place}")
    assert problem.startswith("ERP_DATABASE_URL_FINANCE names")
    assert "instant writes need all schemas in one database" in problem


def test_module_urls_alone_must_be_complete() -> None:
    problems = preflight.check_servers(environment(ERP_DATABASE_URL_FINANCE="postgresql://finance:x@127.0.0.1:1/shop"))
    assert len(problems) == 4
    assert all("every module needs its own" in problem for problem in problems)


def test_module_urls_to_an_empty_database_ask_for_provision(server: RealServer) -> None:
    urls = {
        f"ERP_DATABASE_URL_{m}": server.url for m in ("PLATFORM", "ADMIN_APP", "FINANCE", "LOGISTICS", "STOREFRONT")
    }
    problems = preflight.check_servers(environment(**urls))
    assert [problem.split()[1] for problem in problems] == [
        "platform",
        "admin_app",
        "finance",
        "logistics",
        "storefront",
    ]
    assert all("manage.py provision" in problem for problem in problems)


def test_malformed_url_is_named() -> None:
    (problem,) = preflight.check_servers(environment(ERP_DATABASE_URL="mysql://x"))
    assert problem.startswith("ERP_DATABASE_URL must read postgresql://")


def test_redis_that_does_not_answer_is_named() -> None:
    (problem,) = preflight.check_servers(environment(ERP_REDIS_URL=f"redis://:hidden@127.0.0.1:{free_port()}/0"))
    assert problem.startswith("Redis at redis://…@127.0.0.1:")
    assert "hidden" not in problem


def test_redis_password_is_checked(tmp_path: Path) -> None:
    home = Path(os.environ["ERP_HOME"]).absolute()
    services = embedded.ensure(home)
    assert preflight.check_servers(environment(ERP_REDIS_URL=services.redis_url)) == []
    assert preflight.check_servers(environment(ERP_REDIS_URL=services.broker_url)) == []
    socket_path = quote(str(embedded.socket_dir(home) / "redis.sock"))
    (problem,) = preflight.check_servers(environment(ERP_REDIS_URL=f"unix://:wrong@{socket_path}?db=0"))
    assert "refuses the login" in problem


def test_up_refuses_a_server_without_the_right(server: RealServer, tmp_path: Path) -> None:
    server.cluster.sql("ALTER ROLE installer NOCREATEROLE")
    env = {
        **os.environ,
        "ERP_DATABASE_URL": server.url,
        "ERP_HOME": str(tmp_path),
        "ERP_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert 'ALTER ROLE "installer" CREATEROLE;' in done.stderr
    assert "Redis at redis://127.0.0.1:1/0 does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    with psycopg.connect(server.url) as link:
        assert link.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'finance'").fetchone() == (0,)
