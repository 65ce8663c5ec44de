"""What the board shows now: every copy with its age and its last check, incidents, the scrubber's latest run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from erp import ownership
from erp.alerts import open_alerts
from erp.models import Rebuild, ScrubResult, ScrubRun
from erp.registry import registry
from erp.replication import positions
from erp.replication.positions import PairState
from erp.scrubber.checks import all_checks


@dataclass(frozen=True)
class LastScrub:
    """The last check of one copy."""

    run: int
    check: str
    at: datetime
    status: str  # of the whole check
    compared: int | None  # None: this copy was not compared (its reader was detached)
    mismatched: int | None

    @property
    def drift(self) -> float | None:
        """Rows that differ as a share of those compared."""
        if self.compared is None or self.mismatched is None:
            return None
        return self.mismatched / self.compared if self.compared else float(self.mismatched > 0)


@dataclass(frozen=True)
class BoardPair:
    """One copy on the board."""

    state: PairState
    worst_today_s: float | None
    scrub: LastScrub | None

    def as_json(self) -> dict[str, Any]:
        """Plain data, one flat object."""
        scrub = self.scrub
        last = {**vars(scrub), "drift": scrub.drift} if scrub else None
        return {**self.state.as_json(), "worst_today_s": self.worst_today_s, "last_scrub": last}


def board_pairs(now: datetime | None = None) -> list[BoardPair]:
    """Every (entity, reader) of the map."""
    since_midnight_s = _since_midnight_s(now or timezone.now())
    latest = latest_results()
    checks = {spec.entity: spec.name for spec in all_checks() if spec.entity}
    return [
        BoardPair(
            state,
            _worst_today(state, since_midnight_s),
            _last_scrub(state, latest.get(checks.get(state.entity, ""))),
        )
        for state in positions.all_pairs()
    ]


def latest_results() -> dict[str, ScrubResult]:
    """The latest result of every check by name."""
    return {r.name: r for r in ScrubResult.objects.order_by("name", "-id").distinct("name")}


def latest_run() -> ScrubRun | None:
    """The run under way, or else the last one."""
    return ScrubRun.objects.order_by("-id").first()


def board_as_json() -> dict[str, Any]:
    """The board as one document."""
    run = latest_run()
    return {
        "at": timezone.now(),
        "pairs": [pair.as_json() for pair in board_pairs()],
        "checks": [
            {"number": spec.number, "name": spec.name, "title": spec.title, **_result(latest_results().get(spec.name))}
            for spec in all_checks()
        ],
        "lags": lags(),
        "run": run_as_json(run) if run else None,
        "rebuilds": [rebuild_as_json(rebuild) for rebuild in latest_rebuilds()],
        "alerts": [
            {"key": a.key, "severity": a.severity, "message": a.message, "opened_at": a.opened_at}
            for a in open_alerts()
        ],
    }


def lags() -> list[dict[str, Any]]:
    """Background work of the modules that may fall behind, with its limit."""
    found: list[dict[str, Any]] = []
    for watch in registry.watches:
        lag_s = watch.value_s()
        found.append(
            {
                "key": watch.key, "title": watch.title, "lag_s": lag_s, "limit_s": watch.limit_s,
                "is_late": lag_s > watch.limit_s,
            }
        )  # fmt: skip
    return found


def run_as_json(run: ScrubRun) -> dict[str, Any]:
    """A run with its progress."""
    names = ("id", "trigger", "status", "started_at", "finished_at", "total", "current", "asked_by")
    return {**{name: getattr(run, name) for name in names}, "done": run.results.count()}


def latest_rebuilds() -> list[Rebuild]:
    """Rebuilds by workers that are asked for or under way, and those that ended in the last day; newest first."""
    lately = timezone.now() - timedelta(days=1)
    return list(Rebuild.objects.filter(Q(finished_at=None) | Q(finished_at__gt=lately)))


def rebuild_as_json(rebuild: Rebuild) -> dict[str, Any]:
    """A rebuild with its progress."""
    names = (
        "id", "entity", "reader", "is_attach", "status", "requested_at", "finished_at", "ranges", "changed", "removed",
        "attempts", "error",
    )  # fmt: skip
    return {**{name: getattr(rebuild, name) for name in names}, "asked_by": rebuild.actor_name}


def _result(result: ScrubResult | None) -> dict[str, Any]:
    names = ("status", "at", "compared", "mismatched", "drift", "amount", "cause", "repair", "position")
    return {name: getattr(result, name) if result else None for name in names}


def _since_midnight_s(now: datetime) -> int:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((now - midnight).total_seconds())


def _worst_today(state: PairState, since_midnight_s: int) -> float | None:
    entity = ownership.entity(state.entity)
    if entity.is_instant:
        return state.age_s
    sources = entity.sources_of(state.reader)
    found = [positions.worst_age_s(entity, source, state.reader, since_midnight_s) for source in sources]
    known = [age for age in [*found, state.age_s] if age is not None]
    return max(known) if known else None


def _last_scrub(state: PairState, result: ScrubResult | None) -> LastScrub | None:
    if result is None:
        return None
    compared, mismatched = result.parts.get(f"{state.reader}/{state.entity}", (None, None))
    return LastScrub(result.run_id, result.name, result.at, result.status, compared, mismatched)
