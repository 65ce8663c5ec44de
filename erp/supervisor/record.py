"""What runs for a home, written down so that another process can find it, stop it, or clear up after it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from erp.embedded import processes
from erp.files import write_private

FILE = "supervisor.json"
LOCK = "supervisor.lock"


@dataclass(frozen=True)
class Known:
    """A process that we started: its pid and its start, so that a recycled pid is never taken for it."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Known":
        """Note a live process."""
        return cls(pid, processes.started_at(pid) or "")

    def lives(self) -> bool:
        """Say whether this very process still runs."""
        return processes.is_running(self.pid, self.started)


@dataclass(frozen=True)
class Record:
    """The supervisor and its children."""

    supervisor: Known
    url: str = ""  # empty until ready
    children: Mapping[str, Known] = field(default_factory=dict)  # by name


def write_record(home: Path, record: Record) -> None:
    """Replace the record of a home."""
    write_private(home / FILE, json.dumps(asdict(record) | {"pid": record.supervisor.pid}, indent=1))


def read_record(home: Path) -> Record | None:
    """Read the record of a home; None when there is none. Whether its processes live is another question."""
    try:
        raw: dict[str, Any] = json.loads((home / FILE).read_text(encoding="utf-8"))
        children = {name: Known(**child) for name, child in raw["children"].items()}
        return Record(Known(**raw["supervisor"]), raw["url"], children)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_record(home: Path) -> None:
    """Forget what ran, once it has ended."""
    (home / FILE).unlink(missing_ok=True)


def own_record(url: str, children: Mapping[str, Known]) -> Record:
    """Describe this process as the supervisor."""
    return Record(Known.of(os.getpid()), url, dict(children))
