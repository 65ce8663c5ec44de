"""E-mails to shoppers: what they say, in whose language, once each, and where they go."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.html import strip_tags

from erp.email_url import read_email_url
from erp.relay import run_relay
from finance.services.corrections import correct_invoice
from finance.services.goods_issues import issue_collective, set_collective
from logistics import api as logistics
from storefront.models import CustomerCopy, InvoiceCopy, SalesOrder
from storefront.services.notices import tell_shoppers
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase) -> None:
    world.set_up_books()
    world.delivery()


def ordered_on_the_web(
    language: str, name: str = "Posted mug", buyer: CustomerCopy | None = None, **fields: str
) -> SalesOrder:
    mug = world.product("1000", stock=9, name=name)
    run_relay("logistics")
    buyer = buyer or world.customer(f"Buyer {language}", language=language)
    placed = world.place(
        (mug, 3), price_mode="gross", channel="web", email=f"{language}@example.com", customer_id=buyer.pk, **fields
    )
    return SalesOrder.objects.get(pk=placed["order_id"])


def sent() -> list[mail.EmailMessage]:
    """What is sent now, after every relay and copy has run."""
    mail.outbox.clear()
    run_relay("logistics")
    world.copy_orders()
    tell_shoppers()
    run_relay("storefront")
    return list(mail.outbox)


def test_order_shipment_and_invoice_are_mailed_once_each() -> None:
    order = ordered_on_the_web("en")
    (accepted,) = sent()
    assert accepted.to == ["en@example.com"]
    assert accepted.subject == f"Your order {order.number} at Demo Kft."
    assert "3 × Posted mug" in str(accepted.body)
    assert "3,810\u00a0Ft" in str(accepted.body)
    logistics.ship(order.pk, [{"line_no": 1, "quantity": 2}], actor=world.SHOPPER, key=None)
    about = {m.subject.split()[0]: m for m in sent()}
    invoice = InvoiceCopy.objects.get(order_id=order.pk)
    assert sorted(about) == ["Invoice", "Your"]
    assert "is on its way" in about["Your"].subject
    assert "2 × Posted mug" in str(about["Your"].body)
    assert about["Invoice"].subject == f"Invoice {invoice.number}"
    name, content, kind = about["Invoice"].attachments[0]
    assert (name, kind) == (f"{invoice.number.replace('/', '-')}.pdf", "application/pdf")
    assert bytes(content).startswith(b"%PDF")  # type: ignore[arg-type]
    assert sent() == []


def html_of(message: mail.EmailMessage) -> str:
    assert isinstance(message, mail.EmailMultiAlternatives)
    ((content, kind),) = message.alternatives
    assert kind == "text/html"
    return str(content)


@pytest.mark.parametrize("language", ["en", "hu"])
def test_html_part_says_what_the_text_says(language: str) -> None:
    order = ordered_on_the_web(language, name="Mug <b>& saucer</b>")
    letters = sent()
    logistics.ship(order.pk, None, actor=world.SHOPPER, key=None)
    letters += sent()
    assert len(letters) == 3
    for letter in letters:
        html, text = html_of(letter), str(letter.body)
        assert f'<html lang="{language}">' in html
        shown = unescape(strip_tags(html))
        figures_and_links = re.findall(r"[\d,]+\xa0Ft|http\S+|SH-\d+|SO-\d+", text)
        assert [found for found in figures_and_links if found not in shown + unescape(html)] == []
        assert letter.subject in shown
        assert "<b>" not in html
    assert "Mug <b>& saucer</b>" in unescape(html_of(letters[0]))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "attached is a correction of invoice {}."), ("hu", "Mellékeljük a(z) {} számú számla helyesbítését.")],
)
def test_correction_that_lowers_the_price_asks_for_no_transfer(language: str, sentence: str) -> None:
    order = ordered_on_the_web(language, payment_method="transfer")
    logistics.ship(order.pk, None, actor=world.SHOPPER, key=None)
    assert settings.COMPANY["bank_account"] in " ".join(str(m.body) for m in sent())
    invoice = InvoiceCopy.objects.get(order_id=order.pk)
    lower = {"lines": [{"line_no": 1, "quantity": 3, "unit_price": Decimal(1000)}]}
    correct_invoice(invoice.pk, lower, actor=world.SHOPPER)
    (letter,) = sent()
    for text in (str(letter.body), unescape(strip_tags(html_of(letter)))):
        assert sentence.format(invoice.number) in text
        assert "-810" in text.replace("\u2212", "-")
        assert settings.COMPANY["bank_account"] not in text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "attached is one invoice for your orders {}, {}."),
        ("hu", "Mellékeljük a(z) {}, {} számú rendelések közös"),
    ],
)
def test_collective_invoice_is_mailed_once_to_its_customer(language: str, sentence: str) -> None:
    buyer = world.customer(f"Monthly {language}", language=language, email=f"books-{language}@example.com")
    set_collective(buyer.pk, is_collective=True)
    orders = [ordered_on_the_web(language, buyer=buyer, payment_method="transfer") for _ in range(2)]
    for order in orders:
        logistics.ship(order.pk, None, actor=world.SHOPPER, key=None)
    assert not [m for m in sent() if m.attachments]
    today = timezone.now().date()
    (invoice,) = issue_collective(buyer.pk, today, today, actor=world.SHOPPER)
    (letter,) = sent()
    assert letter.to == [f"books-{language}@example.com"]
    assert invoice["number"] in letter.subject
    assert letter.attachments
    for text in (str(letter.body), unescape(strip_tags(html_of(letter)))):
        assert sentence.format(*(order.number for order in orders)) in text
        assert settings.COMPANY["bank_account"] in text
    assert "/orders/" in str(letter.body)
    assert sent() == []


@pytest.mark.parametrize(
    ("language", "partly", "wholly"),
    [
        ("en", "1 set aside, 2 follow as soon as they are in stock", "1 follows as soon as it is in stock"),
        ("hu", "1 félretéve, 2 következik, amint raktáron lesz", "1 következik, amint raktáron lesz"),
    ],
)
def test_accepted_order_says_what_is_set_aside_and_what_follows(language: str, partly: str, wholly: str) -> None:
    mug = world.product("1000", stock=1, name="Short mug", backorder_allowed=True)
    pot = world.product("1000", stock=0, name="Coming pot", backorder_allowed=True)
    help_ = world.product("1000", name="Advice", product_class="service", is_stocked=False)
    run_relay("logistics")
    buyer = world.customer(f"Patient {language}", language=language)
    world.place((mug, 3), (pot, 1), (help_, 1), channel="web", email="patient@example.com", customer_id=buyer.pk)
    (letter,) = sent()
    for text in (str(letter.body), unescape(strip_tags(html_of(letter)))):
        about = {name: re.findall(rf"{name}[^×]*", text)[0] for name in ("Short mug", "Coming pot", "Advice")}
        assert partly in about["Short mug"]
        assert wholly in about["Coming pot"]
        assert "set aside" not in about["Advice"] + text.split("Short mug")[0]
        assert "félre" not in about["Advice"].lower() + text.split("Short mug")[0].lower()


def test_orders_of_a_history_are_not_mailed() -> None:
    mug = world.product("1000", stock=9)
    placed = world.place((mug, 1), channel="replay", email="old@example.com")
    logistics.ship(placed["order_id"], None, actor=world.SHOPPER, key=None)
    assert sent() == []


def test_urls_say_where_mails_go() -> None:
    smtp = read_email_url("smtp://shop%40x:p%3Aw@mail.example.com:587?tls=1")
    assert (smtp.host, smtp.port, smtp.user, smtp.password, smtp.use_tls) == (
        "mail.example.com",
        587,
        "shop@x",
        "p:w",
        True,
    )
    assert (read_email_url("smtps://mail.example.com").port, read_email_url("smtps://mail.example.com").use_ssl) == (
        465,
        True,
    )
    assert read_email_url("file:///var/mail").folder == Path("/var/mail")
    assert read_email_url("console://").backend.endswith("console.EmailBackend")
    for wrong in ("mail.example.com", "http://mail.example.com", "smtp://", "file://"):
        with pytest.raises(ImproperlyConfigured, match="ERP_EMAIL_URL"):
            read_email_url(wrong)
