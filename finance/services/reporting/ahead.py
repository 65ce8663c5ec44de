"""Fetches ahead: what takes long elsewhere is asked for by a thread of its own while the caller does something else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

_PUT_S = 0.2


class Ahead(Generic[T]):
    """Items of a source, read by a thread from :meth:`start` on, at most ``most`` of them waiting.

    Leave it as a context manager: the thread ends with it. What the source raises is raised where its items are read.
    """

    def __init__(self, source: Callable[[], Iterator[T]], most: int) -> None:
        self._source = source
        self._waiting: queue.Queue[tuple[T | None, Exception | None]] = queue.Queue(most)
        self._is_left = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begin to read; once."""
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            item, error = self._waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_left.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _read(self) -> None:
        try:
            for item in self._source():
                if not self._put((item, None)):
                    return
        except Exception as error:  # told to whoever reads the items  # noqa: BLE001
            self._put((None, error))
        else:
            self._put((None, None))

    def _put(self, item: tuple[T | None, Exception | None]) -> bool:
        while not self._is_left.is_set():
            try:
                self._waiting.put(item, timeout=_PUT_S)
            except queue.Full:
                continue
            return True
        return False
