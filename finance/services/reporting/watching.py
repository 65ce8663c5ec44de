"""What staff must hear of: reports that come near their deadline, were refused, or cannot leave the house."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from erp.alerts import raise_alert, resolve_alert
from erp.db import cursor, rows_as_dicts
from finance.models.reporting import OPEN_ANNULMENT
from finance.services.reporting.switching import told_elsewhere

_OLDEST = """
select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
from nav_submission where state not in ('done', 'annulled')"""

_FAILED = """
select count(*) as count, min(due_at) as due_at, (array_agg(number order by due_at))[1:5] as numbers
from nav_submission where state in ('refused', 'blocked')"""

_ANNULLED = """
select count(*) as count, null as due_at, (array_agg(number order by invoice_id))[1:5] as numbers
from nav_submission where state = 'annulled'"""

_UNDECIDED = """
select count(*) as count, null as due_at, (array_agg(s.number order by a.id))[1:5] as numbers
from nav_annulment a join nav_submission s on s.invoice_id = a.submission_id
where a.state = any(%s) and a.requested_at < clock_timestamp() - make_interval(secs => %s)"""

REMEDY = "see Reports to the NAV in the admin: the page says what stands against each"


CHANNEL_REMEDY = (
    "docs/nav.md, When nothing leaves: by the code, renew the technical user (manage.py nav_credentials), its rights "
    "on the NAV's page, or this machine's clock; then Try now under Reports to the NAV"
)


def oldest_unreported_s() -> float:
    """Age of the oldest document that the NAV does not have; the law wants it within 24 hours at the latest."""
    with cursor("finance") as cur:
        cur.execute(_OLDEST)
        return float(cur.fetchone()[0])


def alarm_s() -> float:
    """The age from which it is an incident, before the deadline."""
    return float(settings.NAV["alarm_h"]) * 3600


def tell() -> None:
    """Raise and resolve the incidents about reports that only a person can bring on."""
    with cursor("finance") as cur:
        cur.execute(_FAILED)
        failed = rows_as_dicts(cur)[0]
        cur.execute(_ANNULLED)
        annulled = rows_as_dicts(cur)[0]
        open_s = float(settings.NAV["annulment_alarm_days"]) * 86_400
        cur.execute(_UNDECIDED, [list(OPEN_ANNULMENT), open_s])
        undecided = rows_as_dicts(cur)[0]
        cur.execute("select reason from nav_channel where endpoint = %s and needs_a_person", [settings.NAV["endpoint"]])
        channel = cur.fetchone()
    _judge("nav:refused", failed, "reports to the NAV were refused or cannot be made")
    _judge("nav:annulled", annulled, "annulled reports have not been sent again; correct them within 3 working days")
    _judge(
        "nav:annulments", undecided,
        "annulments are still open: a person has to approve or reject each on the NAV's page; until then no change of "
        "the invoice is reported",
    )  # fmt: skip
    _judge(
        "nav:elsewhere", told_elsewhere(),
        "documents were reported to another system than the live one: manage.py nav_report_again",
    )  # fmt: skip
    if channel:
        raise_alert("nav:channel", f"the NAV refuses this installation: {channel[0]}", {"repair": CHANNEL_REMEDY})
    else:
        resolve_alert("nav:channel")


def _judge(key: str, found: dict[str, Any], text: str) -> None:
    if not found["count"]:
        resolve_alert(key)
        return
    due = f", the first is due at {found['due_at']:%Y-%m-%d %H:%M} UTC" if found["due_at"] else ""
    details = {"count": found["count"], "numbers": found["numbers"], "oldest_at": found["due_at"], "repair": REMEDY}
    raise_alert(key, f"{found['count']} {text} ({', '.join(found['numbers'])}){due}; {REMEDY}", details)
