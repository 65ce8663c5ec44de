"""Where the embedded servers of one home keep their data, sockets and (when needed) a copy of their binaries."""

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from erp.embedded.accounts import Account, choose_account
from erp.embedded.errors import PlaceNotUsable
from erp.files import make_home

SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
LONGEST_SOCKET_NAME = ".s.PGSQL.65535"
POINTER = "embedded.json"
OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - made with a check of owner and mode, see `prepare`
SHORT = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108


@dataclass(frozen=True)
class Layout:
    """The places of one home. Nothing is made by asking; `prepare` makes them."""

    home: Path  # what the user named, e.g. var/
    root: Path  # holds the data: home itself or, when the account cannot enter that, a directory outside
    sockets: Path  # mode 0700, short enough for a socket path
    account: Account

    @property
    def postgres(self) -> Path:
        """Directory of the PostgreSQL server: data, log, stamp."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """Directory of the Valkey server: configuration, data, log."""
        return self.root / "valkey"

    @property
    def binaries(self) -> Path:
        """Directory of copied binaries, used only when the installed ones cannot be reached."""
        return self.root / "binaries"

    @property
    def redis_socket(self) -> Path:
        """Path of the Valkey socket."""
        return self.sockets / "redis.sock"

    def prepare(self) -> None:
        """Make the directories and, when the data lives outside home, leave the pointer; a repeat changes nothing."""
        make_home(self.home)
        if self.root != self.home:
            self.account.own(self.root)
            (self.home / POINTER).write_text(
                json.dumps({"home": str(self.home), "data": str(self.root)}) + "\n", encoding="utf-8"
            )
        self.account.own(self.postgres)
        self.account.own(self.valkey)
        self.account.own(self.sockets)


def locate(home: Path) -> Layout:
    """Find the places of a home without making anything."""
    home = home.absolute().resolve()
    account = choose_account(home / "postgres")
    pointed = _pointer(home)
    if pointed is not None:
        root = pointed
        account = choose_account(root / "postgres")
    elif not account.demoted or account.can_reach(home):
        root = home
    else:
        root = _first_usable(OUTSIDE, account) / _short_name(home, account)
    sockets = root / "run"
    if not _fits(sockets):
        sockets = _first_usable(SHORT, account) / (_short_name(home, account) + "-run")
    return Layout(home, root, sockets, account)


def _pointer(home: Path) -> Path | None:
    try:
        said = json.loads((home / POINTER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    # A copied or moved home must not use the data of the original.
    return Path(said["data"]) if said.get("home") == str(home) else None


def _short_name(home: Path, account: Account) -> str:
    return f"erp-{account.uid}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _first_usable(candidates: tuple[Path, ...], account: Account) -> Path:
    for candidate in candidates:
        if os.access(candidate, os.W_OK) and account.can_reach(candidate):
            return candidate
    raise PlaceNotUsable(
        f"none of {', '.join(map(str, candidates))} can hold the data or sockets of the embedded servers"
    )
