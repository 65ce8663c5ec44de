"""What of a check's sample rows a rebuild from the owner would put right, for the button beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from erp import ownership
from erp.models import ScrubResult


@dataclass
class SampledRepair:
    """Rows of one copy that differ and may be rebuilt."""

    entity: str
    reader: str
    owner: str
    keys: list[int] = field(default_factory=list)
    more: int = 0  # rows of the copy that differ and are not among the samples

    @property
    def keys_text(self) -> str:
        """The keys as the form takes them."""
        return ",".join(map(str, self.keys))


def repairs_of(result: ScrubResult) -> list[SampledRepair]:
    """Sampled rows by copy; without those whose owner is corrupt, which a rebuild would carry on."""
    found: dict[str, SampledRepair] = {}
    for sample in result.samples:
        part, _, key = sample["key"].partition(" ")
        if part not in result.parts or not key.isdigit() or sample["cause"] == "owner corrupt":
            continue
        reader, name = part.split("/")
        entity = ownership.entity(name)
        found.setdefault(part, SampledRepair(name, reader, entity.owner)).keys.append(int(key))
    for part, repair in found.items():
        sampled = sum(sample["key"].startswith(f"{part} ") for sample in result.samples)
        repair.more = max(0, result.parts[part][1] - sampled)
    return list(found.values())
