"""One lock per home, held by a file: it is free again when its holder is gone, however that ended."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from erp.embedded.errors import EmbeddedError


@contextmanager
def held(path: Path, *, timeout_s: float = 180) -> Iterator[None]:
    """Hold the lock for the block; raises `EmbeddedError` when somebody else keeps it for longer than the timeout."""
    with path.open("a", encoding="utf-8") as file:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise EmbeddedError(f"another process has held {path} for {timeout_s:.0f} s") from None
                time.sleep(0.02)
        yield
