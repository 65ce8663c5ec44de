"""Printed invoices: what the law asks for, in both languages, the same bytes every time."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from erp.actor import SYSTEM
from erp.errors import NotFound
from finance import api
from finance.models import VatCode
from finance.serializers import VatCodeSerializer
from finance.services.crediting import issue_credit_note
from finance.services.invoicing import create_invoice
from finance.services.reporting.documents import report_xml
from tests.finance.world import DAY, World
from tests.pdf_text import pdf_text
from tests.people import ApiClient, person, staff_client


def line(**more: Any) -> dict[str, Any]:
    return {"name": "Advice", "quantity": 2, "unit_price": "1500", "vat_code": "27", **more}


def invoice(world: World, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": list(lines), **more}, SYSTEM)


def test_print_has_what_the_law_asks_for(world: World) -> None:
    done = invoice(world, line(), line(vat_code="TAM"), fulfilled_on="2026-03-08", note="Köszönjük!")
    text = pdf_text(api.invoice_pdf(done["id"]))
    for part in (
        "Számla", done["number"], "Demo Kft.", "Adószám: 12345676-2-41", "Kovács Bt.", "2026. 03. 10.",
        "2026. 03. 08.", "2026. 03. 18.", "Átutalás", "Advice", "27%", "3 810", "Fizetendő", "6 810 Ft",
        "TAM: mentes az adó alól (Áfa tv. 85-87. §).", "Megjegyzés: Köszönjük!",
    ):  # fmt: skip
        assert part in text, part


def test_print_is_the_same_bytes_after_payment(world: World) -> None:
    done = invoice(world, line())
    first = api.invoice_pdf(done["id"])
    api.record_payment({"invoice_id": done["id"], "amount": 100}, actor=SYSTEM)
    assert api.invoice_pdf(done["id"]) == first
    assert api.invoice_pdf(done["id"], "en") != first


def test_foreign_currency_shows_vat_in_base_currency_and_the_rate(world: World) -> None:
    done = create_invoice(
        {"customer_id": world.foreigner, "issued_on": DAY, "currency": "EUR", "lines": [line(unit_price="10")]}, SYSTEM
    )
    text = pdf_text(api.invoice_pdf(done["id"], "en"))
    for part in ("EUR 25.40", "HUF 2,106", "7,800", "1 EUR = 390 HUF", "VAT number: HU12345676"):
        assert part in text, part


def test_reverse_charge_and_both_tax_numbers_are_named(world: World) -> None:
    done = invoice(world, line(vat_code="FAD"))
    assert "Fordított adózás: az adót a vevő fizeti" in pdf_text(api.invoice_pdf(done["id"]))
    assert "Reverse charge" in pdf_text(api.invoice_pdf(done["id"], "en"))


def change_law(code: str, law: str) -> None:
    """The law under a VAT code is another from now on."""
    serializer = VatCodeSerializer(VatCode.objects.get(code=code), data={"law_ref": law}, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save(actor=SYSTEM)


def test_law_under_a_code_stays_as_it_was_at_issue(world: World) -> None:
    """On the print, in the report to the tax office, and on what corrects the document later."""
    done = invoice(world, line(vat_code="AAM"))
    before = VatCode.objects.get(code="AAM").law_ref
    change_law("AAM", "Áfa tv. 999. §")
    note = issue_credit_note(done["id"], actor=SYSTEM, reason="x")
    for document in (done, note):
        assert before in pdf_text(api.invoice_pdf(document["id"]))
        assert f"<reason>{before}</reason>" in report_xml(document["number"]).decode()
    later = invoice(world, line(vat_code="AAM"))
    assert "Áfa tv. 999. §" in pdf_text(api.invoice_pdf(later["id"]))
    assert "<reason>Áfa tv. 999. §</reason>" in report_xml(later["number"]).decode()


def test_credit_note_names_the_invoice_and_line_it_corrects(world: World) -> None:
    done = invoice(world, line(), line(name="Book", vat_code="5"))
    note = issue_credit_note(done["id"], actor=SYSTEM, lines=[{"line_no": 2, "quantity": 1}], reason="Sérült")
    text = pdf_text(api.invoice_pdf(note["id"])).replace("\n", " ")
    for part in ("Módosító számla", f"Módosított számla: {done['number']}", "2. tétele", "Visszajár", "1 575 Ft"):
        assert part in text, part
    gone = issue_credit_note(done["id"], actor=SYSTEM)
    assert f"Cancels invoice {done['number']}" in pdf_text(api.invoice_pdf(gone["id"], "en"))


def test_gross_prices_are_named_as_such(world: World) -> None:
    done = invoice(world, line(unit_price="1270", quantity=1), price_mode="gross")
    text = pdf_text(api.invoice_pdf(done["id"]))
    assert "Bruttó egységár" in text.replace("\n", " ")
    assert "1 270 Ft" in text


def test_pdf_over_rest_and_in_the_admin(world: World) -> None:
    done = invoice(world, line())
    client = ApiClient(person("printer", duty="finance"))
    answer = client.send("GET", f"/api/v1/finance/invoices/{done['id']}/pdf/?language=en", None)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content == api.invoice_pdf(done["id"], "en")
    assert client.send("GET", "/api/v1/finance/invoices/99999999/pdf/", None).status_code == 404
    page = staff_client("desk", duty="finance").get(reverse("finance-print-invoice", args=[done["id"]]))
    assert page.content == api.invoice_pdf(done["id"])


def test_unknown_document_is_not_printed(world: World) -> None:
    with pytest.raises(NotFound):
        api.invoice_pdf(10**9)
