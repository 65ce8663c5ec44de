"""The two embedded servers of a home together: bring up, describe, stop, remove."""

import os
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from erp import secrets
from erp.embedded import postgres, valkey
from erp.embedded.errors import EmbeddedError
from erp.embedded.layout import POINTER, Layout, locate
from erp.files import held, make_home

DATABASE = "erp"
EXTRA_OPTIONS = "ERP_PG_EXTRA"  # further PostgreSQL options, e.g. "-c fsync=off"
LOCK = "embedded.lock"


@dataclass(frozen=True)
class Services:
    """How to reach the embedded servers."""

    postgres_host: str  # directory of the socket
    postgres_port: int
    postgres_superuser: str
    postgres_password: str = field(repr=False)  # empty when this process may not read it
    database: str
    redis_url: str = field(repr=False)  # for redis-py, database 0
    broker_url: str = field(repr=False)  # for Celery, database 1


@dataclass(frozen=True)
class Status:
    """What runs: the pid of each server, None when it does not run."""

    initialised: bool
    postgres: int | None
    valkey: int | None


def socket_dir(home: Path) -> Path:
    """Give the directory of the sockets of a home; makes nothing."""
    return locate(home).sockets


def ensure(home: Path) -> Services:
    """Initialise and start PostgreSQL and Valkey, create the database; a repeat takes milliseconds."""
    layout = locate(home)
    make_home(layout.home)
    with held(layout.home / LOCK):
        layout.prepare()
        known = secrets.load_secrets(layout.home)
        cluster = postgres.cluster_at(layout, known.password(secrets.SUPERUSER), options=extra_options())
        cluster.ensure_running()
        valkey.valkey_at(layout, known.redis_password).ensure_running()
        created = layout.postgres / "database-created"
        if not created.exists() or created.stat().st_mtime < (layout.postgres / "initialised").stat().st_mtime:
            cluster.create_database(DATABASE)
            layout.account.write(created, DATABASE + "\n")
    return _services(layout, known)


def describe(home: Path) -> Services | None:
    """Tell how to reach the servers without starting them; None when the home was never initialised.

    The superuser's password is empty for a process that may not read `secrets/ddl.json`.
    """
    layout = locate(home)
    if not (layout.postgres / "initialised").exists():
        return None
    return _services(layout, secrets.load_secrets(layout.home, ddl=secrets.may_read_ddl(layout.home)))


def stop(home: Path) -> None:
    """Stop both servers, Valkey first; what does not run stays so."""
    layout = locate(home)
    if not layout.postgres.exists():
        return
    with held(layout.home / LOCK):
        known = secrets.load_secrets(layout.home)
        valkey.valkey_at(layout, known.redis_password).stop()
        postgres.cluster_at(layout, known.password(secrets.SUPERUSER)).stop()


def stop_if_idle(home: Path) -> bool:
    """Stop both servers unless somebody is logged in to PostgreSQL; returns whether they are stopped now."""
    layout = locate(home)
    if status(home).postgres is not None:
        cluster = postgres.cluster_at(layout, secrets.load_secrets(layout.home).password(secrets.SUPERUSER))
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        if cluster.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {others}") != "0":
            return False
    stop(home)
    return True


def status(home: Path) -> Status:
    """Tell which of the servers run; starts nothing."""
    layout = locate(home)
    if not (layout.postgres / "initialised").exists():
        return Status(initialised=False, postgres=None, valkey=None)
    known = secrets.load_secrets(layout.home)
    return Status(
        initialised=True,
        postgres=postgres.cluster_at(layout, known.password(secrets.SUPERUSER)).postmaster(),
        valkey=valkey.valkey_at(layout, known.redis_password).pid(),
    )


def destroy(home: Path) -> None:
    """Stop the servers, delete their data, sockets and secrets, also outside of home; other files of home stay."""
    stop(home)
    layout = locate(home)
    if not layout.home.exists():
        return
    for directory in (
        layout.postgres,
        layout.valkey,
        layout.binaries,
        layout.sockets,
        layout.home / "secrets",
    ):
        shutil.rmtree(directory, ignore_errors=True)
    if layout.root != layout.home:
        shutil.rmtree(layout.root, ignore_errors=True)
    for name in (POINTER, LOCK, "password"):
        (layout.home / name).unlink(missing_ok=True)


def extra_options() -> tuple[str, ...]:
    """Read further PostgreSQL settings from ERP_PG_EXTRA, written as `-c name=value -c …`."""
    parts = shlex.split(os.environ.get(EXTRA_OPTIONS, ""))
    if any(flag != "-c" for flag in parts[::2]) or len(parts) % 2:
        raise EmbeddedError(f"{EXTRA_OPTIONS} must read `-c name=value -c name=value …`")
    return tuple(parts[1::2])


def _services(layout: Layout, known: secrets.Secrets) -> Services:
    path = quote(str(layout.redis_socket))
    return Services(
        postgres_host=str(layout.sockets),
        postgres_port=postgres.PORT,
        postgres_superuser=secrets.SUPERUSER,
        postgres_password=known.passwords.get(secrets.SUPERUSER, ""),
        database=DATABASE,
        redis_url=f"unix://:{known.redis_password}@{path}?db=0",
        broker_url=f"redis+socket://:{known.redis_password}@{path}?virtual_host=1",
    )
