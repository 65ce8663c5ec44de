"""The control endpoint: faults, clock, decisions on annulments, and what is held. For tests and demos."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from finance.nav.standin.annulments import decide_annulment
from finance.nav.standin.faults import fault_from_json
from finance.nav.standin.service import StandInService

CONTROL_PATH = "/_control/"


def control(service: StandInService, name: str, body: bytes) -> tuple[int, bytes]:
    """Carry out one order; the body is a JSON object. Returns HTTP status and JSON.

    `faults` {"faults": [...]} replaces the faults; `clock` {"advance_s": n} or {"set": moment};
    `annulments` {"number": n, "decision": "DONE" or "REJECTED"}; `tokens` {"token": t, "tax_number": n}
    makes a token known; `release` lets stuck batches go on; `contents` lists what is held; `struck`
    counts the faults that hit.
    """
    orders: dict[str, Callable[[StandInService, dict[str, Any]], object]] = {
        "faults": _faults,
        "clock": _clock,
        "annulments": _annulments,
        "tokens": _tokens,
        "release": _release,
        "contents": _contents,
        "struck": lambda service, _: service.faults.struck,
    }
    if name not in orders:
        return 404, b"{}"
    try:
        order = json.loads(body or b"{}")
        return 200, json.dumps(orders[name](service, order)).encode()
    except (ValueError, KeyError, TypeError) as error:
        return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()


def _faults(service: StandInService, order: dict[str, Any]) -> object:
    faults = [fault_from_json(fault) for fault in order["faults"]]
    service.faults.replace(faults)
    return {"faults": len(faults)}


def _clock(service: StandInService, order: dict[str, Any]) -> object:
    if "set" in order:
        service.clock.set(datetime.fromisoformat(order["set"]))
    service.clock.advance(float(order.get("advance_s", 0.0)))
    return {"now": service.clock.now().isoformat()}


def _annulments(service: StandInService, order: dict[str, Any]) -> object:
    service.processor.process_due()
    return {"decided": decide_annulment(service.store, order["number"], order["decision"])}


def _tokens(service: StandInService, order: dict[str, Any]) -> object:
    service.intake.add_token(order["token"], order["tax_number"])
    return {}


def _release(service: StandInService, _: dict[str, Any]) -> object:
    now = service.clock.now().timestamp()
    released = service.store.run("UPDATE batch SET due_at = ? WHERE is_processed = 0 AND due_at > ?", now, now)
    return {"released": released, "processed": service.processor.process_due()}


def _contents(service: StandInService, _: dict[str, Any]) -> object:
    service.processor.process_due()
    return [dict(row) | {"digest": json.loads(row["digest"])} for row in service.contents()]
