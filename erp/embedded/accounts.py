"""The operating system account that the embedded servers run as: never root, which PostgreSQL refuses."""

import os
import pwd
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from erp.embedded.errors import EmbeddedError

UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """Who runs the servers, and whether we must step down from root to become them."""

    uid: int
    gid: int
    demoted: bool

    def can_reach(self, path: Path) -> bool:
        """Say whether this account may enter a directory; parts that do not exist yet are taken as enterable."""
        return all(self._may(part, 0o1) for part in (path, *path.parents) if part.exists())

    def can_execute(self, path: Path) -> bool:
        """Say whether this account may read and execute a file."""
        return self.can_reach(path.parent) and self._may(path, 0o5)

    def own(self, directory: Path, mode: int = 0o700) -> Path:
        """Make a directory of this account with exactly this mode; a repeat changes nothing."""
        if directory.is_symlink():
            raise EmbeddedError(f"{directory} is a symbolic link; refusing to keep data behind it")
        directory.mkdir(mode=mode, exist_ok=True)
        found = directory.stat()
        if self.demoted and found.st_uid == 0:
            os.chown(directory, self.uid, self.gid)
        elif found.st_uid != self.uid:
            raise EmbeddedError(
                f"{directory} belongs to uid {found.st_uid}: run as that user, or set ERP_HOME to another directory"
            )
        if stat.S_IMODE(found.st_mode) != mode:
            directory.chmod(mode)
        return directory

    def write(self, path: Path, text: str) -> None:
        """Write a file that only this account (and root) can read."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if self.demoted:
            os.chown(path, self.uid, self.gid)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout_s: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, output and errors as one text; the caller looks at the return code."""
        uid = self.uid if self.demoted else None
        gid = self.gid if self.demoted else None
        groups: list[int] | None = [] if self.demoted else None
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**_environment(), **(env or {})},
            input=stdin,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=uid,
            group=gid,
            extra_groups=groups,
            umask=0o077,
            timeout=timeout_s,
            check=False,
        )

    def _may(self, path: Path, wanted: int) -> bool:
        found = path.stat()
        if found.st_uid == self.uid:
            allowed = found.st_mode >> 6
        elif found.st_gid == self.gid:
            allowed = found.st_mode >> 3
        else:
            allowed = found.st_mode
        return allowed & wanted == wanted


def choose_account(existing: Path) -> Account:
    """Choose who runs the servers: the present user; for root the owner of existing data, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), demoted=False)
    if existing.exists() and (owner := existing.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, demoted=True)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, demoted=True)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and no user `postgres` or `nobody` exists: run as an ordinary user"
    )


def _environment() -> dict[str, str]:
    """Give the environment of a server: nothing inherited that would change how it behaves (PG*, locale, Python)."""
    keep = ("PATH", "HOME", "TZ", "TMPDIR")
    return {**{name: os.environ[name] for name in keep if name in os.environ}, "LC_ALL": "C.UTF-8"}
