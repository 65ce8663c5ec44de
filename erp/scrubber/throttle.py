"""Lets a background run rest in proportion to its work, so that checkout hardly notices it."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_REST_S = 5.0


class Throttle:
    """Called between steps: rests ``rest`` seconds for every second worked since the last rest."""

    def __init__(
        self, rest: float, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest, self._sleep, self._clock = rest, sleep, clock
        self._since = clock()

    def __call__(self) -> None:
        """Rest."""
        pause_s = min((self._clock() - self._since) * self._rest, LONGEST_REST_S)
        if pause_s > 0:
            self._sleep(pause_s)
        self._since = self._clock()
