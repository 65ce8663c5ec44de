"""The signed report for auditors: what was promised, what was measured, what was repaired; Ed25519 over its text."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from erp import ownership
from erp.board.state import board_pairs
from erp.db import cursor, rows_as_dicts
from erp.fields import dump_json, load_json
from erp.models import Alert, ScrubResult, ScrubRun
from erp.ownership import MODULES

ALGORITHM = "Ed25519"


class InvalidReport(ValueError):
    """The report was changed, or was signed by another installation."""


def signed_report(since: datetime, until: datetime) -> dict[str, Any]:
    """The report of a period with its signature; rows are named by key, their values are left out."""
    report = json.loads(dump_json(_report(since, until)))
    key = _private_key()
    return {
        "report": report,
        "signature": {
            "algorithm": ALGORITHM,
            "public_key": public_key(),
            "value": key.sign(_canonical(report)).hex(),
        },
    }


def verify_report(document: Any, expected_key: str | None = None) -> dict[str, Any]:
    """Return the report of a document whose signature is right. Raises InvalidReport.

    Args:
        expected_key: the public key in hex that must have signed it; default this installation's.
    """
    try:
        report, signature = document["report"], document["signature"]
        key, value = str(signature["public_key"]), bytes.fromhex(signature["value"])
        if signature["algorithm"] != ALGORITHM:
            raise InvalidReport(f"the signature is {signature['algorithm']}, not {ALGORITHM}")
        if key != (expected_key or public_key()):
            raise InvalidReport("the report was signed with another key than expected")
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(value, _canonical(report))
    except InvalidSignature as error:
        raise InvalidReport("the signature does not fit: the report was changed after it was signed") from error
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidReport):
            raise
        raise InvalidReport(f"this is no signed report: {type(error).__name__}: {error}") from error
    return dict(report)


def public_key() -> str:
    """This installation's public key in hex; auditors keep it apart from the reports."""
    return _private_key().public_key().public_bytes_raw().hex()


def _private_key() -> Ed25519PrivateKey:
    """Derived from the secret key, so that every process of the installation has the same."""
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"erp consistency report")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(settings.SECRET_KEY.encode()))


def _canonical(report: Any) -> bytes:
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _report(since: datetime, until: datetime) -> dict[str, Any]:
    incidents = Alert.objects.filter(opened_at__range=(since, until)).prefetch_related("deliveries")
    return {
        "company": settings.COMPANY["name"],
        "since": since,
        "until": until,
        "promised": [
            {name: getattr(entity, name) for name in ("name", "owner", "custodians", "readers", "window_s")}
            for entity in ownership.ENTITIES
        ],
        "copies_now": [pair.as_json() for pair in board_pairs(until)],
        "runs": [_run(run) for run in ScrubRun.objects.filter(started_at__range=(since, until)).order_by("id")],
        "incidents": [_incident(alert) for alert in incidents.order_by("id")],
        "repairs": [entry for module in MODULES for entry in _repairs(module, since, until)],
    }


def _run(run: ScrubRun) -> dict[str, Any]:
    names = ("id", "trigger", "asked_by", "status", "started_at", "finished_at", "total")
    return {**{name: getattr(run, name) for name in names}, "results": [_result(r) for r in run.results.order_by("id")]}


def _result(result: ScrubResult) -> dict[str, Any]:
    names = (
        "name", "status", "at", "compared", "mismatched", "drift", "amount", "cause", "repair", "seconds", "position"
    )  # fmt: skip
    rows = [sample["key"] for sample in result.samples]
    return {**{name: getattr(result, name) for name in names}, "rows": rows, "error": result.error.split("\n")[0]}


def _incident(alert: Alert) -> dict[str, Any]:
    names = ("key", "severity", "message", "opened_at", "resolved_at")
    fields = ("channel", "action", "state", "attempts", "sent_at")
    told = [{field: getattr(d, field) for field in fields} for d in alert.deliveries.all()]
    return {**{name: getattr(alert, name) for name in names}, "told": told}


def _repairs(module: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Rebuilds, detachments, attachments and recounts that a module's change journal recorded."""
    with cursor(module) as cur:
        cur.execute(
            "select at, entity as kind, actor_name as actor, payload::text as what from change_journal "
            "where entity in ('resync', 'reader_state', 'recount') and at between %s and %s order by at",
            [since, until + timedelta(seconds=1)],
        )
        return [{**row, "owner": module, "what": load_json(row["what"])} for row in rows_as_dicts(cur)]
