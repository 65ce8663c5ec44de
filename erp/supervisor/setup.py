"""Brings the database up to what the code expects, and skips that in milliseconds when nothing changed.

The mark of what was done is a comment on a schema: it lives in the database that it describes, so a replaced or
restored database is never taken for one that is set up.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from django.core.management import get_commands
from django.db import DatabaseError, connections

from erp import ownership
from erp.environment import PROJECT_DIR, Environment

WATCHED = ("*.py", "*.json", "*.sql", "*.csv")  # code and the data that migrations and demo data load


class SetupFailed(RuntimeError):
    """A set-up command ended with an error; the message has its last lines."""


def prepare(environment: Environment, *, demo: bool, log: Path) -> list[str]:
    """Run migrate, provision and (with `demo`) demo_data when code or database changed since they last ran.

    Returns the names of the commands that ran. Writes the database through them alone, then marks it.
    """
    if not environment.has_administrator:
        return []
    wanted = f"set up by {_digest(demo)}"
    if _mark() == wanted:
        return []
    steps = [("migrate", "ddl"), ("provision", "ddl"), *([("demo_data", "runtime")] if demo else [])]
    steps = [(name, role) for name, role in steps if name in get_commands()]
    for name, role in steps:
        _run(name, role, log)
    _set_mark(wanted)
    return [name for name, _ in steps]


def _run(name: str, role: str, log: Path) -> None:
    env = {**os.environ, "ERP_DB_ROLE": role}
    done = subprocess.run(
        [sys.executable, str(PROJECT_DIR / "manage.py"), name],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    with log.open("a", encoding="utf-8") as file:
        file.write(f"--- {name}\n{done.stdout}")
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise SetupFailed(f"`manage.py {name}` failed (exit {done.returncode}), full output in {log}:\n{tail}")


def _mark() -> str:
    try:
        with connections["default"].cursor() as cur:
            cur.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [ownership.PLATFORM])
            row = cur.fetchone()
    except DatabaseError:
        # No such role yet, or another password: whatever it is, the commands must run.
        return ""
    finally:
        connections["default"].close()
    return str(row[0] or "")


def _set_mark(text: str) -> None:
    with connections["default"].cursor() as cur:
        cur.execute(f"COMMENT ON SCHEMA {ownership.PLATFORM} IS '{text}'")
    connections["default"].close()


def _digest(demo: bool) -> str:
    """Hash everything that decides what the commands do: our code and data, and the versions of the packages."""
    total = hashlib.sha256(f"demo={demo}".encode())
    files = [
        path
        for package in ("erp", *ownership.MODULES)
        for kind in WATCHED
        for path in (PROJECT_DIR / package).rglob(kind)
    ]
    for path in sorted([*files, PROJECT_DIR / "requirements.txt", PROJECT_DIR / "requirements-pinned.txt"]):
        total.update(f"{path.relative_to(PROJECT_DIR)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:24]
