"""The state of a sales order in words: four axes, each with the steps a customer sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

register = template.Library()

StepState: TypeAlias = Literal["done", "current", "todo", "problem"]
Label: TypeAlias = "str | StrPromise"


@dataclass(frozen=True)
class Step:
    """One step of an axis."""

    label: Label
    state: StepState


@dataclass(frozen=True)
class Axis:
    """One of the four independent states of an order."""

    name: Label
    status: Label  # the present state in words
    steps: list[Step]


# The usual steps of each axis; a state may replace some of them.
_ORDER = [_("Placed"), _("Confirmed"), _("Completed")]
_FULFILMENT = [_("Reserved"), _("Packing"), _("Shipped"), _("Delivered")]
_INVOICING = [_("Invoiced")]
_PAYMENT = [_("Authorised"), _("Paid")]


@dataclass(frozen=True)
class _State:
    status: Label
    steps: Sequence[Label]
    reached: int  # index of the last step touched, -1 for none
    tone: StepState = "done"  # of that step


_LIFECYCLE_STATES: dict[str, _State] = {
    "placed": _State(_("Placed"), _ORDER, 1, "current"),
    "handing_over": _State(_("Being confirmed"), _ORDER, 1, "current"),
    "open": _State(_("Confirmed"), _ORDER, 1),
    "closed": _State(_("Completed"), _ORDER, 2),
    "cancelled": _State(_("Cancelled"), [_ORDER[0], _("Cancelled")], 1, "problem"),
}
_FULFILMENT_STATES: dict[str, _State] = {
    "none": _State(_("Not started"), _FULFILMENT, -1),
    "backordered": _State(_("Waiting for stock"), [_("Waiting for stock"), *_FULFILMENT[1:]], 0, "current"),
    "allocated": _State(_("Reserved for you"), _FULFILMENT, 0),
    "picking": _State(_("Being packed"), _FULFILMENT, 1, "current"),
    "partly_shipped": _State(
        _("Partly shipped"), [*_FULFILMENT[:2], _("Partly shipped"), _FULFILMENT[3]], 2, "current"
    ),
    "shipped": _State(_("Shipped"), _FULFILMENT, 2),
    "delivered": _State(_("Delivered"), _FULFILMENT, 3),
    "returned": _State(_("Returned"), [*_FULFILMENT[2:], _("Returned")], 2),
}
_INVOICING_STATES: dict[str, _State] = {
    "none": _State(_("Not invoiced yet"), _INVOICING, -1),
    "partly": _State(_("Partly invoiced"), [_("Partly invoiced"), _("Fully invoiced")], 0),
    "fully": _State(_("Invoiced"), _INVOICING, 0),
    "credited": _State(_("Credited"), [*_INVOICING, _("Credited")], 1),
}
_PAYMENT_STATES: dict[str, _State] = {
    "open": _State(_("Awaiting payment"), _PAYMENT[1:], -1),
    "authorised": _State(_("Card authorised"), _PAYMENT, 0),
    "released": _State(_("Released, nothing charged"), [_PAYMENT[0], _("Released")], 1),
    "failed": _State(_("Payment failed"), [_("Payment failed")], 0, "problem"),
    "partly_paid": _State(_("Partly paid"), [_("Partly paid"), _("Paid")], 0),
    "paid": _State(_("Paid"), _PAYMENT[1:], 0),
    "refunded": _State(_("Refunded"), [_PAYMENT[1], _("Refunded")], 1),
}

_AXES: list[tuple[Label, str, dict[str, _State]]] = [
    (pgettext_lazy("status axis", "Order"), "lifecycle", _LIFECYCLE_STATES),
    (pgettext_lazy("status axis", "Delivery"), "fulfilment", _FULFILMENT_STATES),
    (pgettext_lazy("status axis", "Invoice"), "invoicing", _INVOICING_STATES),
    (pgettext_lazy("status axis", "Payment"), "payment", _PAYMENT_STATES),
]


@register.simple_tag
def order_axes(order: Any) -> list[Axis]:
    """The four axes of an order (object or dict with lifecycle, fulfilment, invoicing, payment), in reading order."""
    read: Callable[[str], Any] = order.get if isinstance(order, dict) else lambda name: getattr(order, name, None)
    return [_axis(name, states, _key(read(field))) for name, field, states in _AXES]


@register.filter
def lifecycle_label(state: str) -> Label:
    """An order's lifecycle state in words."""
    return _label(_LIFECYCLE_STATES, state)


@register.filter
def fulfilment_label(state: str) -> Label:
    """An order's fulfilment state in words."""
    return _label(_FULFILMENT_STATES, state)


@register.filter
def payment_label(state: str) -> Label:
    """The payment state of an order or an invoice in words."""
    return _label(_PAYMENT_STATES, state)


@register.filter
def payment_tone(state: str) -> str:
    """`good`, `bad` or `wait`: how a payment state is coloured."""
    key = _key(state)
    if key in {"paid", "refunded", "authorised", "released"}:
        return "good"
    return "bad" if key == "failed" else "wait"


def _axis(name: Label, states: dict[str, _State], key: str) -> Axis:
    state = states.get(key)
    if state is None:
        return Axis(name, key or _("Not known"), [])
    steps = [Step(label, _step_state(index, state)) for index, label in enumerate(state.steps)]
    return Axis(name, state.status, steps)


def _step_state(index: int, state: _State) -> StepState:
    if index == state.reached:
        return state.tone
    return "done" if index < state.reached else "todo"


def _label(states: dict[str, _State], state: str) -> Label:
    found = states.get(_key(state))
    return found.status if found else state


def _key(state: Any) -> str:
    return str(state or "none").replace(" ", "_").replace("-", "_")
