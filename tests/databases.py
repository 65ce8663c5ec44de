"""Test databases: clones of a template that the production code migrated and provisioned."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql

from erp import ownership
from tests.environment import PROJECT_DIR

BUILD_LOCK = 0x7E57


@dataclass(frozen=True)
class ErpDatabase:
    """One database of the test cluster with the whole ERP in it."""

    name: str

    @contextmanager
    def connect(self, role: str = "postgres") -> Iterator[psycopg.Connection]:
        """Autocommit connection as a role (``finance``, ``finance_ddl``, ``postgres``…), schema first."""
        target = settings.ENVIRONMENT.login(role)
        info = {**target.conninfo(), "dbname": self.name}
        schema = role.removesuffix("_ddl")
        options = "" if role == "postgres" else f"-c search_path={schema},pg_temp"
        with psycopg.connect(**info, autocommit=True, options=options) as connection:
            yield connection

    def environ(self, **extra: str) -> dict[str, str]:
        """Environment for a subprocess that works in this database."""
        return {**os.environ, "ERP_DATABASE_NAME": self.name, **extra}

    def manage(self, *arguments: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` in this database and return what it printed."""
        return self._run(["manage.py", *arguments], check, **extra)

    def python(self, code: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run Python code in a process of its own with Django set up in this database."""
        code = "import django; django.setup()\n" + code
        return self._run(["-c", code], check, DJANGO_SETTINGS_MODULE="erp.settings", **extra)

    def _run(self, arguments: list[str], check: bool, **extra: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT_DIR, env=self.environ(**extra), text=True, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        if check and done.returncode:
            pytest.fail(f"{arguments[:2]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done

    def popen(self, code: str, **extra: str) -> subprocess.Popen[str]:
        """Like :meth:`python`, without waiting for the end."""
        return subprocess.Popen(
            [sys.executable, "-c", "import django; django.setup()\n" + code],
            cwd=PROJECT_DIR, env=self.environ(DJANGO_SETTINGS_MODULE="erp.settings", **extra), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


def _admin() -> psycopg.Connection:
    return psycopg.connect(**settings.ENVIRONMENT.login("postgres").conninfo(), autocommit=True)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    paths = [p for m in (*ownership.MODULES, "erp") for p in sorted((PROJECT_DIR / m / "migrations").glob("*.py"))]
    paths += [p for m in ownership.MODULES for p in sorted((PROJECT_DIR / m / "sql").glob("*.sql"))]
    for name in ("ownership", "doors", "provision", "migrations_ops", "duties", "environment"):
        path = PROJECT_DIR / "erp" / f"{name}.py"
        paths += [path] if path.exists() else []
    for path in (*paths, *(PROJECT_DIR / m / "copies.py" for m in ownership.MODULES), PROJECT_DIR / "requirements.txt"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def template_database() -> str:
    """Name of the template for the present code; built once, under a lock, by the production commands."""
    name = f"erp_template_{_fingerprint()}"
    with _admin() as admin:
        admin.execute("select pg_advisory_lock(%s)", [BUILD_LOCK])
        if admin.execute("select 1 from pg_database where datname = %s and datistemplate", [name]).fetchone():
            return name
        admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        database = ErpDatabase(name)
        for command in (["migrate", "-v0"], ["provision"]):
            done = database.manage(*command, check=False, ERP_DB_ROLE="ddl")
            if done.returncode:
                raise RuntimeError(f"manage.py {command[0]} failed in the template database:\n{done.stderr}")
        admin.execute(sql.SQL("alter database {} is_template true").format(sql.Identifier(name)))
    return name


def clone(name: str, template: str) -> ErpDatabase:
    """Create ``name`` as a copy of the template; CONNECT rights are not copied by PostgreSQL, so grant them."""
    with _admin() as admin:
        db = sql.Identifier(name)
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(db))
        # As files: without fsync the checkpoints cost nothing, and every page in the log takes four times as long.
        admin.execute(sql.SQL("create database {} template {} strategy file_copy").format(db, sql.Identifier(template)))
        admin.execute(sql.SQL("revoke all on database {} from public").format(db))
        roles = [r for m in ownership.SCHEMAS for r in (ownership.runtime_role(m), ownership.ddl_role(m))]
        admin.execute(
            sql.SQL("grant connect, temporary on database {} to {}").format(
                db, sql.SQL(", ").join(map(sql.Identifier, roles))
            )
        )
    return ErpDatabase(name)


def drop(name: str) -> None:
    """Drop a test database, ending connections that a test left open."""
    with _admin() as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def use(name: str) -> Mapping[str, str]:
    """Point every alias of this process at a database; returns the names they had."""
    before = {}
    for alias in connections:
        connections[alias].close()
        before[alias] = connections[alias].settings_dict["NAME"]
        connections[alias].settings_dict["NAME"] = name
    return before
