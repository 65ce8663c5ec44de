"""Correction invoices: what was wrong is taken back and charged anew in one document over the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.errors import NotFound, Refused
from erp.scrubber.result import Findings
from finance import api
from finance.checks import check_subledgers
from finance.errors import CreditExceedsInvoice, NotCorrectable, NotCreditable, VatReasonMissing
from finance.models import Invoice, InvoiceLine
from finance.services import tie_out
from finance.services.corrections import correct_invoice
from finance.services.credit_lines import originals_of
from finance.services.crediting import issue_credit_note
from finance.services.invoicing import create_invoice
from finance.services.vat_documents import document_differences
from finance.services.vat_return import vat_return
from tests.finance.world import BOOKKEEPER, DAY, World, posted
from tests.pdf_text import pdf_text

D = Decimal
LATER = date(2026, 4, 2)


def sell(world: World, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    full = [{"name": "Advice", "quantity": 5, "unit_price": "100", "vat_code": "27", **line} for line in lines or ({},)]
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": full, **more}, BOOKKEEPER)


def correct(invoice: dict[str, Any], *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {"lines": list(lines), "issued_on": DAY, "reason": "Wrong", **more}
    return correct_invoice(invoice["id"], data, actor=BOOKKEEPER)


def rows_of(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = api.get_invoice(document["id"])["lines"]
    return [(x["name"], x["quantity"], x["unit_price"], x["vat_code"], x["net"]) for x in found]


def test_higher_price_is_owed_by_a_document_of_its_own(world: World) -> None:
    invoice = sell(world)
    done = correct(invoice, {"line_no": 1, "unit_price": "120"})
    assert (done["number"][:9], done["kind"], done["gross_total"]) == ("COR-2026-", "correction", D(127))
    assert rows_of(done) == [("Advice", -5, 100, "27", -500), ("Advice", 5, 120, "27", 600)]
    assert posted(kind="correction", key=done["id"]) == {"311": D(127), "9111": D(-100), "467": D(-27)}
    found = api.get_invoice(done["id"])
    assert (found["original_id"], found["payment_state"], api.open_total(done["id"])) == (invoice["id"], "open", 127)
    assert api.open_total(invoice["id"]) == D(635)
    assert found["due_on"] > found["issued_on"]
    originals = {x["original_line_id"] for x in found["lines"]}
    assert originals == {api.get_invoice(invoice["id"])["lines"][0]["id"]}


def test_more_pieces_than_invoiced_are_charged(world: World) -> None:
    done = correct(sell(world, {"discount": "50"}), {"line_no": 1, "quantity": 7})
    assert rows_of(done) == [("Advice", 2, 100, "27", 180)]
    assert done["gross_total"] == D(229)  # 180 and its VAT of 48.6


def test_fewer_pieces_and_a_lower_price_settle_the_invoice(world: World) -> None:
    invoice = sell(world)
    done = correct(invoice, {"line_no": 1, "quantity": 4, "unit_price": "90"})
    assert done["gross_total"] == D(457 - 635)
    assert api.open_total(invoice["id"]) == D(457)
    assert api.get_invoice(done["id"])["payment_state"] == "credited"


def test_wrong_vat_code_is_put_right_in_one_document(world: World) -> None:
    invoice = sell(world, {"product_id": world.mug, "vat_code": "5", "vat_override_reason": "Book"})
    done = correct(invoice, {"line_no": 1, "vat_code": "27"})
    assert rows_of(done) == [("Advice", -5, 100, "5", -500), ("Advice", 5, 100, "27", 500)]
    assert (done["net_total"], done["vat_total"]) == (0, D(135 - 25))
    lines = {r["vat_code"]: (r["base_net"], r["base_vat"]) for r in api.get_invoice(done["id"])["vat_summary"]}
    assert lines == {"5": (-500, -25), "27": (500, 135)}
    note = issue_credit_note(invoice["id"], actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 2}], issued_on=DAY)
    assert rows_of(note) == [("Advice", -2, 100, "27", -200)]


def test_another_vat_code_than_follows_from_the_product_needs_a_reason(world: World) -> None:
    invoice = sell(world, {"product_id": world.mug})
    with pytest.raises(VatReasonMissing, match="say why 5 is right"):
        correct(invoice, {"line_no": 1, "vat_code": "5"}, reason="")
    correct(invoice, {"line_no": 1, "vat_code": "5"}, reason="A book, says the tariff")


def test_another_product_is_delivered_instead(world: World) -> None:
    invoice = sell(world, {"name": "A"}, {"name": "B"})
    instead = {"name": "Tea", "product_id": world.tea, "quantity": 2, "unit_price": "400"}
    done = correct(invoice, {"line_no": 2, "quantity": 0}, added=[instead])
    assert rows_of(done) == [("B", -5, 100, "27", -500), ("Tea", 2, 400, "5", 800)]
    tea = api.get_invoice(done["id"])["lines"][1]
    note = issue_credit_note(
        invoice["id"], actor=BOOKKEEPER, lines=[{"line_id": tea["id"], "quantity": 1}], issued_on=DAY
    )
    assert note["net_total"] == -400
    last = issue_credit_note(invoice["id"], actor=BOOKKEEPER, issued_on=DAY)
    assert sorted(rows_of(last)) == [("A", -5, 100, "27", -500), ("Tea", -1, 400, "5", -400)]
    states = [api.get_invoice(x["id"])["payment_state"] for x in (invoice, done)]
    assert states == ["credited", "credited"]


def test_pieces_of_a_line_are_corrected_apart_and_again(world: World) -> None:
    invoice = sell(world)
    correct(invoice, {"line_no": 1, "pieces": 2, "unit_price": "120"})
    dear = next(o for o in originals_of([invoice["id"]]) if o.unit_price == 120)
    with pytest.raises(CreditExceedsInvoice, match="2 can still be credited, not 3"):
        correct(invoice, {"line_id": dear.id, "pieces": 3, "unit_price": "130"})
    again = correct(invoice, {"line_id": dear.id, "unit_price": "130"})
    assert rows_of(again) == [("Advice", -2, 120, "27", -240), ("Advice", 2, 130, "27", 260)]
    with pytest.raises(NotCorrectable, match="different prices"):
        correct(invoice, {"line_no": 1, "vat_code": "5"})
    last = issue_credit_note(invoice["id"], actor=BOOKKEEPER, issued_on=DAY)
    assert last["net_total"] == -560


def test_pieces_that_stand_right_already_are_replaced_last(world: World) -> None:
    invoice = sell(world)
    correct(invoice, {"line_no": 1, "pieces": 2, "unit_price": "150"})
    correct(invoice, {"line_no": 1, "pieces": 3, "unit_price": "60"})
    done = correct(invoice, {"line_no": 1, "pieces": 2, "unit_price": "150"})
    assert rows_of(done) == [("Advice", -2, 60, "27", -120), ("Advice", 2, 150, "27", 300)]
    left = sorted((o.unit_price, o.open_quantity) for o in originals_of([invoice["id"]]) if o.open_quantity)
    assert left == [(60, 1), (150, 2), (150, 2)]


def test_what_cannot_be_corrected_says_what_to_do(world: World) -> None:
    invoice = sell(world)
    with pytest.raises(NotCorrectable, match="Nothing would change"):
        correct(invoice, {"line_no": 1})
    with pytest.raises(NotFound, match="no line 9"):
        correct(invoice, {"line_no": 9, "quantity": 1})
    margin = sell(world, {"vat_code": "KUL_HASZNALT"})
    for of, before, after in ((invoice, "27", "KUL_HASZNALT"), (margin, "KUL_HASZNALT", "27")):
        said = f"margin scheme .* turns {before} into {after}: cancel {of['number']}, or credit .* issue the sale anew"
        with pytest.raises(NotCorrectable, match=said):
            correct(of, {"line_no": 1, "vat_code": after})
    done = correct(invoice, {"line_no": 1, "unit_price": "120"})
    with pytest.raises(NotCreditable, match=f"correct {invoice['number']}"):
        correct(done, {"line_no": 1, "unit_price": "110"})
    issue_credit_note(invoice["id"], actor=BOOKKEEPER, issued_on=DAY)
    with pytest.raises(NotCorrectable, match="issue a new invoice"):
        correct(invoice, {"line_no": 1, "unit_price": "90"})


def test_correction_in_foreign_currency_keeps_the_rate_of_its_original(world: World) -> None:
    line = {"name": "Advice", "quantity": 1, "unit_price": "100", "vat_code": "EUFAD37"}
    invoice = sell(world, line, customer_id=world.foreigner, currency="EUR")
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-04-01", "rate": "410"}])
    done = correct(invoice, {"line_no": 1, "unit_price": "110"}, issued_on=LATER)
    assert posted(kind="correction", key=done["id"]) == {"317": D(3900), "9311": D(-3900)}


def test_correction_counts_in_the_vat_period_of_what_it_does(world: World) -> None:
    """What raises the tax belongs to its original's month, what lowers it to the month of the correction."""
    march, april = ((date(2026, m, 1), date(2026, m, d)) for m, d in ((3, 31), (4, 30)))
    changes: tuple[tuple[dict[str, Any], dict[str, Any], dict[str, Any]], ...] = (
        ({"unit_price": "120"}, {"27": (D(600), D(162))}, {}),
        ({"unit_price": "80"}, {"27": (D(500), D(135))}, {"27": (D(-100), D(-27))}),
        ({"vat_code": "5"}, {"27": (D(500), D(135))}, {"27": (D(-500), D(-135)), "5": (D(500), D(25))}),
    )
    before = {days: {c.code: (c.base, c.tax) for c in vat_return(*days).codes} for days in (march, april)}
    for change, of_march, of_april in changes:
        correct(sell(world), {"line_no": 1, **change}, issued_on=LATER)
        for days, expected in ((march, of_march), (april, of_april)):
            found = vat_return(*days)
            sums = {c.code: (c.base, c.tax) for c in found.codes}
            was = before[days]
            moved = {c: (b - was.get(c, (0, 0))[0], t - was.get(c, (0, 0))[1]) for c, (b, t) in sums.items()}
            assert {code: part for code, part in moved.items() if any(part)} == expected, change
            assert (found.agrees, document_differences(*days)) == (True, [])
            assert tie_out.differences(days[1]) == []
            before[days] = sums


def test_returned_goods_are_credited_at_the_corrected_price_and_original_cost(world: World) -> None:
    world.receive(world.mug, 5, "10")
    sale = world.sell(world.product_line(world.mug, 2, "100"))
    correct(sale, {"line_no": 1, "unit_price": "150"})
    payload = world.give_back(world.product_line(world.mug, 1, "100"), order_id=sale["order_id"])
    note = api.credit_return(payload)
    assert (note["net_total"], api.get_invoice(note["id"])["original_id"]) == (-150, sale["id"])
    assert posted(kind="return", key=payload["return_id"]) == {"261": D(10), "814": D(-10)}


def test_advance_is_corrected_and_what_is_left_of_it_follows(world: World) -> None:
    advance = sell(world, {"quantity": 1, "unit_price": "1000"}, kind="advance")
    correct(advance, {"line_no": 1, "unit_price": "1500"})
    take = {"name": "Advance", "quantity": 1, "unit_price": "-1500", "advance_invoice_id": advance["id"]}
    final = sell(world, {"unit_price": "400"}, take, kind="final")
    assert final["net_total"] == 500
    with pytest.raises(NotCorrectable, match="takes off an advance"):
        correct(final, {"line_no": 2, "unit_price": "1200"})
    with pytest.raises(Refused):
        correct(advance, {"line_no": 1, "unit_price": "1400"})


@pytest.mark.parametrize(("language", "title"), [("hu", "Módosító számla"), ("en", "Correction invoice")])
def test_printed_correction_names_what_it_corrects(world: World, language: str, title: str) -> None:
    invoice = sell(world)
    text = pdf_text(api.invoice_pdf(correct(invoice, {"line_no": 1, "unit_price": "120"})["id"], language))
    for expected in (title, invoice["number"], "127"):
        assert expected in text


change = st.fixed_dictionaries(
    {"line": st.integers(1, 2)},
    optional={
        "pieces": st.integers(1, 4), "quantity": st.integers(0, 9), "unit_price": st.decimals(0, 999, places=2),
        "vat_code": st.sampled_from(["27", "5", "AAM"]),
    },
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mode=st.sampled_from(["net", "gross"]),
    currency=st.sampled_from(["HUF", "EUR"]),
    changes=st.lists(change, max_size=4),
)
def test_whatever_is_corrected_the_chain_adds_up_and_ends_at_zero(
    world: World, mode: str, currency: str, changes: list[dict[str, Any]]
) -> None:
    line = {"quantity": 3, "unit_price": "33.37", "discount": "1"}
    invoice = sell(
        world, line, {"quantity": 4, "unit_price": "7.77", "vat_code": "5"}, price_mode=mode, currency=currency
    )
    for wanted in changes:
        row = {"line_no": wanted.pop("line"), **wanted}
        try:
            correct(invoice, row)
        except Refused:
            continue
    try:
        issue_credit_note(invoice["id"], actor=BOOKKEEPER, issued_on=DAY)
    except NotCreditable:
        pass
    chain = Invoice.objects.filter(pk=invoice["id"]) | Invoice.objects.filter(original_id=invoice["id"])
    totals = list(chain.values_list("net_total", "vat_total", "gross_total", "base_gross_total"))
    assert [sum(column) for column in zip(*totals, strict=True)] == [0, 0, 0, 0]
    assert all(o.open_quantity == 0 for o in originals_of([invoice["id"]]))
    assert InvoiceLine.objects.filter(invoice__in=chain, original_line=None).count() == 2


def test_books_tie_out_over_all_corrections(world: World) -> None:
    assert tie_out.differences(date(2026, 12, 31)) == []
    assert document_differences(DAY, LATER) == []
    findings = Findings()
    check_subledgers(findings)
    assert findings.samples == []
