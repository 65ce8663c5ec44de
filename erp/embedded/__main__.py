"""``python -m erp.embedded status|start|stop|stop-if-idle|destroy HOME``: the embedded servers without Django."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from erp.embedded import EmbeddedError, destroy, ensure, status, stop, stop_if_idle

ACTIONS: dict[str, Callable[[Path], object]] = {
    "status": status,
    "start": ensure,
    "stop": stop,
    "stop-if-idle": stop_if_idle,
    "destroy": destroy,
}


def main() -> int:
    """Do one thing to the servers of one home and tell how they are now; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m erp.embedded", description=__doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("home", type=Path)
    chosen = parser.parse_args()
    try:
        ACTIONS[chosen.action](chosen.home)
        now = status(chosen.home)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{chosen.home}: PostgreSQL {now.postgres or 'stopped'}, Valkey {now.valkey or 'stopped'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
