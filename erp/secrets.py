"""The passwords and keys of one home, made once at random and kept in two files, both mode 0600.

`secrets/runtime.json` is all that a web or worker process needs; `secrets/ddl.json` is for migrating and provisioning.
"""

import json
import os
import secrets as random_source
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from erp.files import held, make_home, write_private

RUNTIME_ROLES = ("admin_app", "finance", "logistics", "storefront", "platform")
DDL_ROLES = tuple(f"{role}_ddl" for role in RUNTIME_ROLES)
SUPERUSER = "postgres"


class UnknownRole(KeyError):
    """A role has no password here; a process started with the runtime secrets knows no `_ddl` role."""


@dataclass(frozen=True)
class Secrets:
    """What `load_secrets` read. Its repr tells nothing."""

    secret_key: str = field(repr=False)  # Django's SECRET_KEY
    redis_password: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)  # by PostgreSQL role

    def password(self, role: str) -> str:
        """Give the password of a PostgreSQL role; raises `UnknownRole`."""
        try:
            return self.passwords[role]
        except KeyError:
            raise UnknownRole(f"no password for role {role!r} in the secrets that this process may read") from None


def load_secrets(home: Path, *, ddl: bool = True) -> Secrets:
    """Read the secrets of a home, making what is missing; passwords that exist are never changed.

    With `ddl=False` the file with the passwords of the superuser and the migrating roles is neither read nor made.
    """
    folder = home / "secrets"
    runtime = _read(folder / "runtime.json", ("secret_key", "redis", *RUNTIME_ROLES))
    migrating = _read(folder / "ddl.json", (SUPERUSER, *DDL_ROLES)) if ddl else {}
    roles = {role: runtime[role] for role in RUNTIME_ROLES}
    return Secrets(runtime["secret_key"], runtime["redis"], {**roles, **migrating})


def may_read_ddl(home: Path) -> bool:
    """Say whether this process can read the passwords of the superuser and the migrating roles."""
    return os.access(home / "secrets" / "ddl.json", os.R_OK)


def _read(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    found = _parse(path)
    if all(name in found for name in names):
        return found
    make_home(path.parent.parent)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with held(path.parent / "lock"):
        found = _parse(path)
        missing = [name for name in names if name not in found]
        if missing:
            found = {**found, **{name: random_source.token_urlsafe(48) for name in missing}}
            write_private(path, json.dumps(found, indent=1))
    return found


def _parse(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return dict(json.loads(text))
