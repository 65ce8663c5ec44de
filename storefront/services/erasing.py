"""What Storefront itself keeps of a person goes once Admin has erased the customer; issued documents stay."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from erp.db import cursor, module_transaction
from erp.fields import dump_json
from erp.ownership import PLATFORM
from storefront.models import CustomerCopy, ShopAccount

_BLANK: dict[str, Any] = {"customer_name": "", "email": "", "ship_to": {}, "bill_to": {}, "note": ""}

# One that is being ordered still needs what was confirmed; it is decided within the hour.
_REDACT = """
update payment_attempt a set basket = a.basket || %s::jsonb
from customer_copy c
where c.email is null and c.retired_at is not null and a.basket ->> 'customer_id' = c.id::text
  and a.state in ('placed', 'failed') and a.basket ->> 'customer_name' <> ''"""


def forget_erased() -> dict[str, int]:
    """Forget what is kept here of customers whose personal data Admin has erased. Idempotent.

    Their log-ins are closed, and what a card payment confirmed keeps its goods and amounts alone.
    Returns ``{"accounts", "payments"}``.
    """
    return {"accounts": _close_log_ins(), "payments": _redact_payments()}


def _close_log_ins() -> int:
    erased = CustomerCopy.objects.filter(email=None).exclude(retired_at=None).values("pk")
    accounts = list(ShopAccount.objects.filter(customer_id__in=erased).order_by("pk"))
    for account in accounts:
        with module_transaction(PLATFORM):
            user = get_user_model().objects.filter(pk=account.user_id, is_staff=False).first()
            if user is not None:
                user.username, user.email, user.first_name, user.is_active = f"erased-{user.pk}", "", "", False
                user.set_unusable_password()
                user.save()
        with module_transaction("storefront"):
            account.delete()
    return len(accounts)


def _redact_payments() -> int:
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute(_REDACT, [dump_json(_BLANK)])
        return int(cur.rowcount)
