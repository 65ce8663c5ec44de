"""Stops a running system from another process, and clears up after one that was killed."""

import os
import signal
import time
from pathlib import Path

from erp import embedded
from erp.embedded.processes import wait_until
from erp.supervisor.record import Known, Record, read_record, remove_record

SUPERVISOR_S = 60.0
CHILD_S = 15.0


def stop_all(home: Path) -> bool:
    """Stop the supervisor of a home (which stops its children), what a killed one left, and the embedded servers.

    Returns whether anything ran. Signals only processes whose pid and start time are on record.
    """
    record = read_record(home)
    before = embedded.status(home)
    ran = before.postgres is not None or before.valkey is not None
    if record is not None:
        ran = ran or record.supervisor.lives()
        _signal(record.supervisor, signal.SIGTERM)
        if not wait_until(lambda: not record.supervisor.lives(), SUPERVISOR_S, every_s=0.05):
            _signal(record.supervisor, signal.SIGKILL)
        # Read again: children may have been restarted since.
        ran = end_leftovers(read_record(home) or record) or ran
        remove_record(home)
    embedded.stop(home)
    return ran


def end_leftovers(record: Record) -> bool:
    """End the recorded children that outlived their supervisor; returns whether there were any."""
    left = [child for child in record.children.values() if child.lives()]
    for child in left:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + CHILD_S
    for child in left:
        if not wait_until(lambda child=child: not child.lives(), max(0.0, deadline - time.monotonic())):  # type: ignore[misc]
            _signal(child, signal.SIGKILL)
    return bool(left)


def _signal(known: Known, number: signal.Signals) -> None:
    if known.lives():
        try:
            os.kill(known.pid, number)
        except ProcessLookupError:
            pass
