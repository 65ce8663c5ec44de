"""Check 9's third side: what the NAV holds of the documents issued lately, read back from the NAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from erp.db import cursor, rows_as_dicts
from erp.scrubber.reading import read
from erp.scrubber.result import Findings
from finance.errors import ReportingNotSetUp
from finance.nav.client import NavClient
from finance.nav.errors import NavError
from finance.services.reporting.archive import OF_TONIGHT, altered_archives
from finance.services.reporting.connection import connect, endpoint, is_set_up
from finance.services.reporting.reconciling import Reconciliation, reconcile_days
from finance.services.reporting.watching import CHANNEL_REMEDY

NIGHTS = 30  # in which the whole archive is read
LOOKS_BACK = timedelta(days=62)  # by day of issue, and by the day on which a report was done

# Days of issue touched since, newest first, with the requests that a look at what the NAV holds of them takes.
_DAYS = """
select s.issued_on as day, count(distinct t.batch_id) as requests
from nav_submission s left join nav_item t on t.id = s.item_id
where s.issued_on >= %(since)s or s.done_at >= %(since)s group by 1 order by 1 desc"""

# What another system was told before a change of endpoint is an incident of its own.
_ELSEWHERE = """
select s.number from nav_submission s join nav_item t on t.id = s.item_id join nav_batch b on b.id = t.batch_id
where s.number = any(%s) and b.endpoint <> %s"""


@dataclass
class _Drift:
    """All that the NAV has otherwise of one document."""

    cause: str
    expected: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    amount: Decimal = Decimal(0)
    repair: str = ""


def check_archive(findings: Findings) -> None:
    """Archived reports are what was sent: those issued lately, and of the older ones another part each night."""
    today = timezone.now().date()
    arguments = {"since": today - LOOKS_BACK, "nights": NIGHTS, "night": today.toordinal() % NIGHTS}
    for number, problem in altered_archives(read(findings, "finance", OF_TONIGHT, arguments)):
        findings.add(f"archived report of {number}", "as sent", problem, "owner corrupt")
        findings.repair_with(f"{number}: restore its rows of nav_item from a backup")


def check_nav(findings: Findings) -> None:
    """Documents issued lately are at the NAV as they were sent, and no others under the company's tax number.

    A NAV that does not answer makes the check failed. Without a channel Finance's own records stand alone.
    """
    try:
        if not is_set_up():
            findings.position += "No channel to the NAV is set up: only Finance's own records were compared. "
            return
        client = connect(sleep=lambda seconds: findings.pause())
        for first, last in _periods(findings):
            _compare(findings, client, first, last)
            findings.position += f"Asked the NAV for documents issued {first} to {last}. "
    except ReportingNotSetUp as error:
        findings.fail(error.message, CHANNEL_REMEDY)
    except NavError as error:
        findings.fail(f"the NAV cannot be asked: {error}", CHANNEL_REMEDY)


def _periods(findings: Findings) -> list[tuple[date, date]]:
    """The months touched lately, newest first, as far as the requests of one night go."""
    today, left = timezone.now().date(), int(settings.NAV["nightly_requests"])
    before = today.replace(day=1) - timedelta(days=1)
    spans = {_month(today): (_month(today), today), _month(before): (_month(before), before)}  # also without documents
    for row in read(findings, "finance", _DAYS, {"since": today - LOOKS_BACK}):
        day, left = row["day"], left - row["requests"]
        if left < 0:
            cut = day + timedelta(days=1)
            spans = {month: (max(first, cut), last) for month, (first, last) in spans.items()}
            break
        first, last = spans.get(_month(day), (day, day))
        spans[_month(day)] = (min(first, day), max(last, day))
    return [spans[month] for month in sorted(spans, reverse=True) if spans[month][0] <= spans[month][1]]


def _month(day: date) -> date:
    return day.replace(day=1)


def _compare(findings: Findings, client: NavClient, first: date, last: date) -> None:
    found = _look(findings, client, first, last)
    if found:  # what was reported or withdrawn between two questions is gone at a second look
        again = _look(findings, client, first, last)
        found = {number: again[number] for number in found if number in again}
    for number, drift in sorted(found.items()):
        findings.add(f"{number} at the NAV", drift.expected, drift.found, drift.cause, amount=drift.amount)
        findings.repair_with(drift.repair or _repair(number, drift.cause))


def _repair(number: str, cause: str) -> str:
    if cause == "rogue write":
        return (
            f"{number} was reported under this company's tax number, but not by this system: find out who did, and "
            "have it withdrawn on the NAV's page"
        )
    if cause == "lost":
        return f"{number}: manage.py nav_report_again {number}"
    return f"{number}: Annul the report on the document's page, approve it at the NAV, then Repair and report again"


def _look(findings: Findings, client: NavClient, first: date, last: date) -> dict[str, _Drift]:
    findings.pause()
    reconciled = reconcile_days(first, last, client, lambda done, of: findings.pause())
    drifts: dict[str, _Drift] = {}
    for number in reconciled.strays:
        drifts[number] = _Drift("rogue write", {"documents": None}, {"nav": "held"})
    for row in _of_nav(reconciled):
        drift = drifts.setdefault(row["number"], _Drift("owner corrupt"))
        if "state" in row:  # held although its report failed here: the NAV's content is compared when it is sent again
            drift.repair = f"{row['number']}: Repair and report again on the document's page"
        code = row["code"] or "report"
        drift.expected[code] = row.get("documents", "as sent")
        drift.found[code] = row.get("nav", row.get("problem"))
        drift.amount += abs((row.get("nav") or Decimal(0)) - (row.get("documents") or Decimal(0)))
    done = {row["number"]: row["vat"] for row in reconciled.missing if row["state"] == "done"}
    for number in done.keys() - _told_elsewhere(list(done)):
        drifts[number] = _Drift("lost", {"report": "done"}, {"report": "not at the NAV"}, abs(done[number]))
    return drifts


def _of_nav(found: Reconciliation) -> Iterator[dict[str, Any]]:
    """The differences on the NAV's side; those between ledger and documents are found by comparing these."""
    for row in found.differences:
        if "problem" in row:
            if row["side"] == "nav":
                yield row
        elif row["nav"] is not None and (row["nav"], row["nav_net"]) != (row["documents"], row["documents_net"]):
            yield row


def _told_elsewhere(numbers: list[str]) -> set[str]:
    if not numbers:
        return set()
    with cursor("finance") as cur:
        cur.execute(_ELSEWHERE, [numbers, endpoint()])
        return {row["number"] for row in rows_as_dicts(cur)}
