"""Documents on paper: Hungarian letters, figures as people of the language write them, lists over several pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from erp.formats import format_amount, format_date, format_money, format_number
from erp.pdf import Column, PdfDocument
from tests.pdf_text import pdf_text

ISSUER = {"name": "Demo Kft.", "postcode": "1011", "city": "Budapest", "street": "Fő utca 1.", "tax_number": "1-2-3"}


def document(language: str = "hu", rows: int = 1) -> PdfDocument:
    made = PdfDocument(
        "Szállítólevél", "SH-000012", issuer=ISSUER, language=language, made_at=datetime(2026, 11, 24, tzinfo=UTC)
    )
    made.parties(("Címzett", ["Őri Ödön űrhajós Bt.", "", "6720 Szeged"]))
    made.facts([("Rendelés", "SO-000001"), ("Csomagszám", "")])
    columns = [Column("Cikkszám", 1), Column("Megnevezés", 3), Column("Darab", 1, "RIGHT")]
    made.item_table(columns, [[f"SKU-{n}", "Árvíztűrő tükörfúrógép " * 6, str(n)] for n in range(1, rows + 1)])
    made.totals([("Összesen", format_money(Decimal("1234.4"), "HUF", language))])
    made.signatures("Átadó", "Átvevő")
    return made


def test_hungarian_text_can_be_read_and_copied() -> None:
    text = pdf_text(document().content())
    for part in ("Demo Kft.", "Szállítólevél", "Őri Ödön űrhajós Bt.", "Árvíztűrő tükörfúrógép", "1 234 Ft", "Átvevő"):
        assert part in text
    assert "Csomagszám" not in text  # a caption without a value is left out


def test_long_list_goes_on_under_its_headings() -> None:
    made = document(rows=60)
    text = pdf_text(made.content())
    assert made.pages_count > 2
    assert text.count("Megnevezés") == made.pages_count
    assert [f"SKU-{n}\n" in text for n in (1, 30, 60)] == [True] * 3


def test_same_content_gives_the_same_file() -> None:
    assert document().content() == document().content()


def test_unknown_letters_do_not_stop_a_document() -> None:
    made = PdfDocument("Delivery note", "SH-1", issuer=ISSUER, language="en")
    made.parties(("To", ["王伟 🎁"]))
    assert made.content().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (format_amount(Decimal("1234567.5"), "HUF", "hu"), "1 234 568"),
        (format_amount(Decimal("-1234.5"), "EUR", "hu"), "-1 234,50"),
        (format_amount(Decimal("1234.5"), "EUR", "en"), "1,234.50"),
        (format_money(Decimal("1234.5"), "EUR", "en"), "EUR 1,234.50"),
        (format_money(Decimal("9.5"), "KWD", "hu"), "9,500 KWD"),
        (format_number(Decimal("27.0000"), "hu"), "27"),
        (format_number(Decimal("0.5"), "hu"), "0,5"),
        (format_number(1500, "en"), "1,500"),
        (format_date(date(2026, 3, 5), "hu"), "2026. 03. 05."),
        (format_date(date(2026, 3, 5), "en"), "5 Mar 2026"),
        (format_date(None, "en"), ""),
    ],
)
def test_figures_and_dates_follow_the_language(shown: str, expected: str) -> None:
    assert shown.replace("\u00a0", " ") == expected
