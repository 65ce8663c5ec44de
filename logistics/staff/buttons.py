"""Buttons on documents: one POST each, a refusal comes back as a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from erp.actor import Actor, actor_of
from logistics import api
from logistics.models import Reservation, ReturnOrder, SalesOrder, Shipment
from logistics.services.fulfilment import cancel_shipment, deliver_shipment
from logistics.services.returns import reject_return
from logistics.staff.desk import duty_page, perform

Do = Callable[[int, Actor], str]


def _plan(pk: int, actor: Actor) -> str:
    planned = api.create_shipments(pk, actor=actor)
    return f"Planned: {', '.join(s['number'] for s in planned)}. The warehouse can pick now."


def _cancel_order(pk: int, actor: Actor) -> str:
    return f"Order {api.cancel_order(pk, actor=actor, reason='Cancelled by staff')['number']} is cancelled."


def _cancel_rest(pk: int, actor: Actor) -> str:
    done = api.cancel_rest(pk, actor=actor, reason="Rest cancelled by staff")
    return f"Order {done['number']}: {done['cancelled']} pieces are cancelled."


def _issue(pk: int, actor: Actor) -> str:
    number = api.issue_shipment(pk, actor=actor)
    invoice = Shipment.objects.values_list("invoice_number", flat=True).get(pk=pk)
    return f"Shipment {number} has left; " + (f"invoice {invoice} is issued." if invoice else "its invoice follows.")


def _receive_parcel(pk: int, actor: Actor) -> str:
    return f"Return {api.receive_parcel(pk, actor=actor)['number']} is here; inspect it next."


def _reject(pk: int, actor: Actor) -> str:
    return f"Return {reject_return(pk, actor=actor, reason='')['number']} is rejected."


OPERATIONS: dict[str, dict[str, tuple[str, Do]]] = {
    "salesorder": {
        "plan": ("Plan shipment", _plan),
        "cancel": ("Cancel order", _cancel_order),
        "cancel-rest": ("Cancel the rest", _cancel_rest),
    },
    "shipment": {
        "pick": ("Picked", lambda pk, actor: f"Shipment {api.pick_shipment(pk, actor=actor)} is picked."),
        "pack": ("Packed", lambda pk, actor: f"Shipment {api.pack_shipment(pk, actor=actor)} is packed."),
        "issue": ("Goods issue", _issue),
        "deliver": ("Delivered", lambda pk, actor: f"Shipment {deliver_shipment(pk, actor=actor)} is delivered."),
        "cancel": ("Take back", lambda pk, actor: f"Shipment {cancel_shipment(pk, actor=actor)} is cancelled."),
    },
    "returnorder": {"receive": ("Parcel is here", _receive_parcel), "reject": ("Reject", _reject)},
}
"""Model → operation → (label, what it does)."""

_OF_SHIPMENT = {
    "planned": ("pick", "cancel"), "picked": ("pack", "cancel"), "packed": ("issue", "cancel"), "issued": ("deliver",),
}  # fmt: skip
_OF_RETURN = {"requested": ("receive", "reject"), "received": ("reject",)}


def buttons_of(row: Any) -> list[dict[str, str]]:
    """Buttons that make sense for a document in its state: ``{"label", "url", "is_danger"}``."""
    model = row._meta.model_name
    names: tuple[str, ...] = ()
    if isinstance(row, Shipment):
        names = _OF_SHIPMENT.get(row.state, ())
    elif isinstance(row, ReturnOrder):
        names = _OF_RETURN.get(row.state, ())
    elif isinstance(row, SalesOrder) and row.lifecycle == "open":
        names = _of_order(row)
    return [
        {
            "label": OPERATIONS[model][name][0],
            "url": reverse("logistics-operation", args=[model, row.pk, name]),
            "is_danger": "yes" if name.startswith(("cancel", "reject")) else "",
        }
        for name in names
    ]


def _of_order(order: SalesOrder) -> tuple[str, ...]:
    free = Reservation.objects.filter(order_id=order.pk, state="allocated", shipment_line=None).exists()
    has_issued = order.lines.filter(issued__gt=0).exists()
    return (*(("plan",) if free else ()), "cancel-rest" if has_issued else "cancel")


@require_POST
@duty_page
def operate(request: HttpRequest, model: str, pk: int, name: str) -> HttpResponse:
    """Run one operation on a document and go back to where the button was."""
    try:
        _, run = OPERATIONS[model][name]
    except KeyError as error:
        raise Http404 from error
    back = reverse(f"admin:logistics_{model}_change", args=[pk])
    if request.POST.get("back") == "pick-list":
        back = reverse("logistics-pick-list")
    return perform(request, lambda: run(pk, actor_of(request.user)), back)
