"""Where the servers are and as whom we log in: embedded services, or real ones given by URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from erp import embedded, ownership
from erp.secrets import load_secrets

PROJECT_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DatabaseTarget:
    """One login of one PostgreSQL database."""

    host: str
    port: int
    name: str
    user: str
    password: str

    @classmethod
    def from_url(cls, url: str) -> DatabaseTarget:
        """Parse ``postgresql://user:password@host:port/name``; a socket directory may be percent-encoded."""
        parts = urlsplit(url)
        if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
            raise ValueError(f"not a PostgreSQL URL of the form postgresql://user:password@host:port/name: {url!r}")
        return cls(
            host=unquote(parts.hostname or "localhost"),
            port=parts.port or 5432,
            name=unquote(parts.path.lstrip("/")),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def conninfo(self) -> dict[str, Any]:
        """Keyword arguments for ``psycopg.connect``."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password,
        }


@dataclass(frozen=True)
class Environment:
    """Everything that differs from one installation to the next."""

    home: Path
    is_embedded: bool
    redis_url: str
    broker_url: str
    secret_key: str
    database: str
    environ: Mapping[str, str]

    @property
    def has_administrator(self) -> bool:
        """Whether we may log in as the administrator who creates roles and schemas."""
        return self.is_embedded or "ERP_DATABASE_URL" in self.environ

    def login(self, role: str) -> DatabaseTarget:
        """Target for a role: a module, ``<module>_ddl`` or ``postgres`` (the administrator)."""
        url = self._url_of(role)
        if url:
            return DatabaseTarget.from_url(url)
        base = self._base()
        needs_ddl = role == "postgres" or role.endswith("_ddl")
        password = load_secrets(self.home, ddl=needs_ddl).password(role)
        return DatabaseTarget(base.host, base.port, base.name, role, password)

    def _url_of(self, role: str) -> str | None:
        if role == "postgres":
            return self.environ.get("ERP_DATABASE_URL")
        if role in ownership.SCHEMAS:
            return self.environ.get(f"ERP_DATABASE_URL_{role.upper()}")
        return None

    def _base(self) -> DatabaseTarget:
        for key in ("ERP_DATABASE_URL", *(f"ERP_DATABASE_URL_{m.upper()}" for m in ownership.SCHEMAS)):
            if url := self.environ.get(key):
                return DatabaseTarget.from_url(url)
        host = str(embedded.socket_dir(self.home))
        return DatabaseTarget(host, 5432, self.database, "", "")


def load_environment(environ: Mapping[str, str] | None = None, *, start: bool = True) -> Environment:
    """Read the environment variables; start the embedded servers that no URL replaces.

    Args:
        environ: variables to read instead of the process's own.
        start: False reads without starting anything (the servers' addresses may then be unknown).
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("ERP_HOME") or PROJECT_DIR / "var").absolute()
    is_embedded = not any(key == "ERP_DATABASE_URL" or key.startswith("ERP_DATABASE_URL_") for key in env)
    redis_url = broker_url = env.get("ERP_REDIS_URL", "")
    if is_embedded or not redis_url:
        services = embedded.ensure(home) if start else embedded.describe(home)
        if services and not redis_url:
            redis_url, broker_url = services.redis_url, services.broker_url
    return Environment(
        home=home,
        is_embedded=is_embedded,
        redis_url=redis_url,
        broker_url=broker_url,
        secret_key=env.get("ERP_SECRET_KEY") or load_secrets(home, ddl=False).secret_key,
        database=env.get("ERP_DATABASE_NAME") or "erp",
        environ=env,
    )
