"""Files of a home: the home itself, its locks, and files that only we may read. Standard library only."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockNotFree(RuntimeError):
    """Another process holds the lock for longer than we wait."""


@contextmanager
def held(path: Path, *, timeout_s: float = 180) -> Iterator[None]:
    """Hold a lock for the block; it is free when its holder is gone, however that ended. Raises `LockNotFree`."""
    with path.open("a", encoding="utf-8") as file:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockNotFree(f"another process has held {path} for {timeout_s:.0f} s") from None
                time.sleep(0.02)
        yield


def make_home(home: Path) -> None:
    """Make the home directory for us alone; one that exists keeps its mode."""
    if not home.exists():
        home.mkdir(mode=0o700, parents=True)
        # Root's servers run under an account of their own, which must pass through; it can list nothing here, and what
        # is private below has its own 0700.
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


def write_private(path: Path, text: str) -> None:
    """Put a file of mode 0600 in place in one step; a reader sees the old text or the new, never half of it."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
