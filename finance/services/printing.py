"""The printed invoice: a PDF with all that the law asks for, the same bytes whenever it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.formats import format_amount, format_date, format_money, format_number
from erp.pdf import Column, PdfDocument
from finance.models import Invoice, InvoiceLine, VatCode
from finance.services.accounts import EU, home_country
from finance.services.invoice_texts import PAYMENT_METHODS, REVERSE_CHARGED, TEXTS, UNITS, vat_remark
from finance.services.invoicing import preview_of
from finance.services.reading import get_invoice

Data = Mapping[str, Any]


def invoice_pdf(invoice_id: int, language: str | None = None) -> bytes:
    """The document as a PDF; a draft as it would be issued, marked as such.

    Args:
        language: ``hu`` or ``en``; None: the document's own.

    Raises:
        NotFound: there is no such document. A draft also raises what issuing it would.
    """
    invoice = get_invoice(invoice_id)
    if invoice["state"] == "draft":
        invoice = {**invoice, **preview_of(invoice_id)}
    return _Printed(invoice, language or invoice["language"]).content()


class _Printed:
    """One document in one language."""

    def __init__(self, invoice: Data, language: str) -> None:
        self.invoice = invoice
        self.language = "hu" if language == "hu" else "en"
        self.texts = TEXTS[self.language]
        self.currency, self.base = invoice["currency"], invoice["base_currency"]
        self.references = _references(invoice)
        codes = VatCode.objects.filter(code__in=[x["vat_code"] for x in invoice["vat_summary"]]).order_by("code")
        laws = _laws_at_issue(invoice)
        self.codes: dict[str, dict[str, str]] = {
            c.code: {"code": c.code, "category": c.category, "law_ref": laws.get(c.code, c.law_ref)} for c in codes
        }

    def content(self) -> bytes:
        """The file."""
        invoice, is_draft = self.invoice, self.invoice["state"] == "draft"
        pdf = PdfDocument(
            self.texts["draft"] if is_draft else self._title(),
            self._title() if is_draft else invoice["number"],
            issuer={k: v for k, v in invoice["supplier"].items() if k != "tax_number"},
            language=self.language,
            made_at=datetime.fromisoformat(invoice["created_at"]),
        )
        pdf.parties(
            (self.texts["supplier"], self._supplier()),
            (self.texts["buyer"], self._buyer()),
        )
        pdf.facts(self._facts())
        self._corrections(pdf)
        pdf.item_table(*self._items())
        pdf.totals(self._totals())
        pdf.note(self.texts["summary"])
        pdf.item_table(*self._summary())
        self._remarks(pdf)
        return pdf.content()

    def _title(self) -> str:
        return self.texts["collective" if self.invoice["is_collective"] else self.invoice["kind"]]

    def _supplier(self) -> list[str]:
        company = self.invoice["supplier"]
        bank = company.get("bank_account")
        return [
            *_address(company),
            *self._tax_numbers(company),
            self.texts["bank_account"].format(bank) if bank else "",
            company.get("email") or "",
        ]

    def _buyer(self) -> list[str]:
        customer = self.invoice["customer"]
        number = customer.get("tax_number")
        if not number:
            return _address(customer)
        name = "tax_number" if customer.get("country") == home_country() else "eu_tax_number"
        return [*_address(customer), self.texts[name].format(number)]

    def _tax_numbers(self, company: Data) -> list[str]:
        number = company.get("tax_number") or ""
        shown = [self.texts["tax_number"].format(number)] if number else []
        abroad = self.invoice["customer"].get("country") != home_country()
        reverse = any(x["vat_code"] in REVERSE_CHARGED for x in self.invoice["vat_summary"])
        if number and home_country() in EU and (abroad or reverse):
            shown.append(self.texts["eu_tax_number"].format(f"{home_country()}{number[:8]}"))
        return shown

    def _facts(self) -> list[tuple[str, str]]:
        invoice, t = self.invoice, self.texts
        method = PAYMENT_METHODS[self.language].get(invoice["payment_method"], invoice["payment_method"])
        facts = [(t[name], self._day(invoice[name])) for name in ("issued_on", "fulfilled_on", "due_on")]
        facts += [(t["payment_method"], method), (t["order"], invoice["order_number"]), (t["currency"], self.currency)]
        if invoice.get("delivered_from"):
            period = f"{self._day(invoice['delivered_from'])} – {self._day(invoice['delivered_to'])}"
            facts.append((t["period"], period))
        if self.currency != self.base:
            rate = format_number(Decimal(invoice["exchange_rate"]), self.language)
            facts.append(
                (t["exchange_rate"], f"1 {self.currency} = {rate} {self.base} ({self._day(invoice['rate_on'])})")
            )
        return facts

    def _corrections(self, pdf: PdfDocument) -> None:
        corrected = [self.invoice["original_id"]] if self.invoice["original_id"] else []
        numbers = [str(n) for n in Invoice.objects.filter(pk__in=corrected).values_list("number", flat=True)]
        if numbers:
            key = "cancels" if self.invoice["kind"] == "cancellation" else "corrects"
            pdf.note(self.texts[key].format(", ".join(numbers)))

    def _items(self) -> tuple[list[Column], list[list[str]]]:
        t, lines = self.texts, self.invoice["lines"]
        price = "unit_price_gross" if self.invoice["price_mode"] == "gross" else "unit_price"
        has_discount = any(line["discount"] for line in lines)
        columns = [
            Column(t["item"], 42), Column(t["quantity"], 14, "RIGHT"), Column(t[price], 22, "RIGHT"),
            *([Column(t["discount"], 19, "RIGHT")] if has_discount else []),
            Column(t["net"], 22, "RIGHT"), Column(t["vat_rate"], 15, "RIGHT"), Column(t["vat"], 19, "RIGHT"),
            Column(t["gross"], 23, "RIGHT"),
        ]  # fmt: skip
        return columns, [self._item(line, has_discount=has_discount) for line in lines]

    def _item(self, line: Data, *, has_discount: bool) -> list[str]:
        unit = UNITS[self.language].get(line["unit"], line["unit"])
        return [
            "\n".join(self._description(line)),
            f"{format_number(line['quantity'], self.language)} {unit}",
            format_number(Decimal(line["unit_price"]), self.language),
            *([self._discount(line)] if has_discount else []),
            self._amount(line["net"]),
            self._rate(line["vat_code"], line["vat_rate"]),
            self._amount(line["vat"]),
            self._amount(line["gross"]),
        ]

    def _description(self, line: Data) -> list[str]:
        found = [line["name"]]
        if line["sku"]:
            found.append(line["sku"])
        reference = self.references.get(line["id"])
        if reference and reference["is_original"]:
            found.append(self.texts["line_corrects"].format(reference["number"], reference["line_no"]))
        elif reference:
            found.append(self.texts["line_advance"].format(reference["number"]))
        if line["delivered_on"]:
            where = " · ".join(filter(None, [line["order_number"], line["shipment_number"]]))
            day = self.texts["line_delivery"].format(self._day(line["delivered_on"]))
            found.append(f"{day} ({where})" if where else day)
        return found

    def _discount(self, line: Data) -> str:
        if not line["discount"]:
            return ""
        percent = Decimal(0) if self.invoice["discount"] else Decimal(line["discount_percent"])
        shown = self._amount(-Decimal(line["discount"]))
        return f"{shown}\n({format_number(percent, self.language)}%)" if percent else shown

    def _summary(self) -> tuple[list[Column], list[list[str]]]:
        t = self.texts
        columns = [
            Column(t["vat_kind"], 40), Column(t["net"], 26, "RIGHT"), Column(t["vat"], 26, "RIGHT"),
            Column(t["gross"], 28, "RIGHT"),
        ]  # fmt: skip
        in_base = self.currency != self.base
        if in_base:
            columns += [Column(t[n].format(self.base), 28, "RIGHT") for n in ("base_net", "base_vat")]
        rows = []
        for rate in self.invoice["vat_summary"]:
            row = [
                self._rate(rate["vat_code"], rate["vat_rate"]),
                *(self._amount(rate[n]) for n in ("net", "vat", "gross")),
            ]
            if in_base:
                row += [format_amount(Decimal(rate[n]), self.base, self.language) for n in ("base_net", "base_vat")]
            rows.append(row)
        return columns, rows

    def _totals(self) -> list[tuple[str, str]]:
        invoice, t = self.invoice, self.texts
        pairs = [
            (t["net_total"], self._money(invoice["net_total"])),
            (t["vat_total"], self._money(invoice["vat_total"])),
        ]
        if self.currency != self.base:
            base_vat = format_money(Decimal(invoice["base_vat_total"]), self.base, self.language)
            pairs.append((t["base_vat_total"].format(self.base), base_vat))
        if invoice["discount"]:
            pairs.append((t["document_discount"], self._money(invoice["discount"])))
        gross = Decimal(invoice["gross_total"])
        return [*pairs, (t["payable"], self._money(gross)) if gross >= 0 else (t["refundable"], self._money(-gross))]

    def _remarks(self, pdf: PdfDocument) -> None:
        for code in self.codes.values():
            pdf.note(vat_remark(code, self.language))
        if not Decimal(self.invoice["gross_total"]):
            pdf.note(self.texts["zero"])
        if self.invoice["note"]:
            pdf.note(self.texts["reason"].format(self.invoice["note"]))

    def _rate(self, code: str, rate: Any) -> str:
        category = self.codes.get(code, {}).get("category", "rate")
        return f"{format_number(Decimal(rate), self.language)}%" if category == "rate" else code

    def _amount(self, amount: Any) -> str:
        return format_amount(Decimal(amount), self.currency, self.language)

    def _money(self, amount: Any) -> str:
        return format_money(Decimal(amount), self.currency, self.language)

    def _day(self, day: date | str | None) -> str:
        return format_date(date.fromisoformat(day) if isinstance(day, str) else day, self.language)


def _address(party: Data) -> list[str]:
    city = f"{party.get('postcode') or ''} {party.get('city') or ''}".strip()
    country = party.get("country") or ""
    return [str(party.get("name") or ""), city, str(party.get("street") or ""), country]


def _laws_at_issue(invoice: Data) -> dict[str, str]:
    """VAT code → the law it stood on when the document was issued; none of drafts and of what was issued before."""
    kept = InvoiceLine.objects.filter(invoice_id=invoice["id"]).order_by("-line_no").values_list("vat_code", "law_ref")
    return {code: law for code, law in kept if law is not None}


def _references(invoice: Data) -> dict[int, dict[str, Any]]:
    """Line id → the document that the line corrects, or the advance it takes off: number, line, which of the two."""
    found: dict[int, dict[str, Any]] = {}
    lines: Sequence[Data] = invoice["lines"]
    ids = [x["id"] for x in lines if x["id"]]
    for key, original, line_no, advance in InvoiceLine.objects.filter(pk__in=ids).values_list(
        "id", "original_line__invoice__number", "original_line__line_no", "advance_invoice__number"
    ):
        if original:
            found[key] = {"number": original, "line_no": line_no, "is_original": True}
        elif advance:
            found[key] = {"number": advance, "line_no": None, "is_original": False}
    return found
