"""E-mails of the shop: each is a relay item first, sent after the commit; a crash may send one twice, never none."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from erp.errors import NotFound
from erp.relay import relay_handler
from finance import api as finance
from logistics import api as logistics
from storefront.models import CustomerCopy, InvoiceCopy, PaymentAttempt, SalesOrder, SalesOrderCopy, ShopAccount
from storefront.services import accounts, passwords
from storefront.services.payments import CREDITS

Attachment = tuple[str, bytes, str]


def _send(
    to: str, template: str, language: str, context: dict[str, Any], attachments: tuple[Attachment, ...] = ()
) -> dict[str, str]:
    """Render ``emails/<template>`` in a language, .txt (its first line: the subject) beside .html, and send it."""
    values = {"company": settings.COMPANY, "base_url": settings.SHOP_URL, **context}
    with translation.override(language):
        subject, _, body = render_to_string(f"emails/{template}.txt", values).strip().partition("\n")
        html = render_to_string(f"emails/{template}.html", {**values, "subject": subject.strip()})
    message = EmailMultiAlternatives(subject.strip(), body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [to])
    message.attach_alternative(html, "text/html")
    for name, content, kind in attachments:
        message.attach(name, content, kind)
    message.send()
    return {"to": to}


def _language_of(account: ShopAccount) -> str:
    found = CustomerCopy.objects.filter(pk=account.customer_id).values_list("language", flat=True).first()
    return found or settings.LANGUAGE_CODE


@relay_handler("storefront", "mail_confirmation")
def mail_confirmation(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Ask an account to confirm its address."""
    account = ShopAccount.objects.get(user_id=payload["user_id"])
    token = accounts.confirmation_token(account.user_id)
    return _send(account.email, "confirm_address", _language_of(account), {"token": token, "account": account})


@relay_handler("storefront", "mail_reset")
def mail_reset(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Send the link to set a new password; the token is made now, so that it stands in no table."""
    account = ShopAccount.objects.get(user_id=payload["user_id"])
    context = {
        "uid": urlsafe_base64_encode(force_bytes(account.user_id)),
        "token": passwords.reset_token(account.user_id),
        "account": account,
    }
    return _send(account.email, "reset_password", _language_of(account), context)


@relay_handler("storefront", "mail_order")
def mail_order(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Tell the shopper that the order is accepted, and of each line what is set aside and what follows later."""
    order = SalesOrder.objects.get(pk=payload["order_id"])
    waiting = _waiting_of(order)
    lines = [(line, waiting.get(line.line_no, 0)) for line in order.lines.all()]
    context = {
        "order": order,
        "lines": [{"line": x, "later": n, "set_aside": x.quantity - n if x.is_stocked else 0} for x, n in lines],
        "is_set_aside": all(x.is_stocked and not n for x, n in lines if x.product_class != "shipping"),
    }
    return _send(order.email, "order_accepted", order.language, context)


def _waiting_of(order: SalesOrder) -> dict[int, int]:
    """Line number → pieces that Logistics accepted without having them in stock."""
    if order.fulfilment != "backordered":
        return {}
    offer = logistics.find_offer(order.pk) or {}
    lines = (offer.get("answer") or {}).get("lines") or ()
    return {line["line_no"]: line["backordered"] for line in lines if line["backordered"]}


@relay_handler("storefront", "mail_payment_failed")
def mail_payment_failed(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Tell a shopper who paid by card that there is no order and nothing is charged."""
    attempt = PaymentAttempt.objects.get(pk=payload["attempt_id"])
    basket = attempt.basket
    return _send(basket["email"], "payment_failed", basket["language"], {"attempt": attempt, "basket": basket})


@relay_handler("storefront", "mail_shipment")
def mail_shipment(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Tell the shopper that a parcel is on its way."""
    order = SalesOrder.objects.get(pk=payload["id"])
    copy = SalesOrderCopy.objects.get(pk=payload["id"])
    shipment = next(s for s in copy.shipments if s["number"] == payload["number"])
    names = {line["line_no"]: line for line in copy.lines}
    lines = [
        {"name": names[x["line_no"]]["name"], "sku": names[x["line_no"]]["sku"], "quantity": x["quantity"]}
        for x in shipment["lines"] or ()
        if x["line_no"] in names and names[x["line_no"]].get("product_class") != "shipping"
    ]
    context = {"order": order, "shipment": shipment, "lines": lines}
    return _send(order.email, "order_shipped", order.language, context)


@relay_handler("storefront", "mail_invoice")
def mail_invoice(payload: dict[str, Any], key: str) -> dict[str, str]:
    """Send an invoice, correction or credit note with its PDF; a collective one to its customer."""
    invoice = InvoiceCopy.objects.get(pk=payload["id"])
    order = SalesOrder.objects.filter(pk=invoice.order_id).first() if invoice.order_id else None
    to, name, language = (order.email, order.customer_name, order.language) if order else _address_of(invoice)
    try:
        pdf = finance.invoice_pdf(invoice.pk, language)
    except NotFound:
        attached: tuple[Attachment, ...] = ()
    else:
        attached = ((f"{invoice.number.replace('/', '-')}.pdf", pdf, "application/pdf"),)
    is_correction = invoice.kind == "correction"
    original = InvoiceCopy.objects.filter(pk=invoice.original_id or 0).first() if is_correction else None
    numbers = dict.fromkeys(line["order_number"] for line in invoice.lines if line.get("order_number"))
    context = {
        "order": order, "order_numbers": ", ".join(numbers), "name": name, "invoice": invoice,
        "is_credit": invoice.kind in CREDITS, "is_correction": original is not None, "original": original,
        "is_to_be_transferred": _is_to_be_transferred(invoice),
    }  # fmt: skip
    return _send(to, "invoice_issued", language, context, attached)


def _address_of(invoice: InvoiceCopy) -> tuple[str, str, str]:
    customer = CustomerCopy.objects.get(pk=invoice.customer_id)
    return customer.email or "", customer.name, customer.language


def _is_to_be_transferred(invoice: InvoiceCopy) -> bool:
    return invoice.gross_total > 0 and invoice.due_on is not None and invoice.payment_method == "transfer"
