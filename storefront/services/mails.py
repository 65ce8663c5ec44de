"""E-mails to shoppers: a relay item first, sent after the commit; a crash may send one twice, never none."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from erp.relay import relay_handler
from storefront.models import SalesOrder, ShopAccount
from storefront.services import accounts


def _send(to: str, template: str, language: str, context: dict[str, Any]) -> dict[str, str]:
    """Render ``emails/<template>.txt`` (first line: the subject) in a language and send it."""
    values = {"company": settings.COMPANY, "base_url": settings.SHOP_URL, **context}
    with translation.override(language):
        subject, _, body = render_to_string(f"emails/{template}.txt", values).strip().partition("\n")
    EmailMessage(subject.strip(), body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [to]).send()
    return {"to": to}


@relay_handler("storefront", "mail_confirmation")
def mail_confirmation(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Ask a new account to confirm its address."""
    account = ShopAccount.objects.get(user_id=payload["user_id"])
    token = accounts.confirmation_token(account.user_id)
    return _send(account.email, "confirm_address", "hu", {"token": token, "account": account})


@relay_handler("storefront", "mail_order")
def mail_order(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Tell the shopper that the order is accepted."""
    order = SalesOrder.objects.prefetch_related("lines").get(pk=payload["order_id"])
    return _send(order.email, "order_accepted", order.language, {"order": order, "lines": order.lines.all()})
