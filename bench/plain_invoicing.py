"""Issuing invoices the plain way: Django's ORM, row by row, one transaction, the series' row locked first.

The yardstick of bench/invoicing.py: the same amounts (erp.money), number, header, lines, settlement, journal entry,
change journal and two copies, as a careful Django programmer would write them without thinking of round trips.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from erp.money import LineInput, document_totals

AMOUNT: dict[str, Any] = {"max_digits": 19, "decimal_places": 4, "default": 0}


class Plain(models.Model):
    """Base of the yardstick's tables."""

    class Meta:
        abstract = True
        app_label = "bench"


class Customer(Plain):
    """A customer."""

    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    terms = models.IntegerField(default=8)


class VatCode(Plain):
    """A VAT code with its rate."""

    code = models.CharField(max_length=20, unique=True)
    rate = models.DecimalField(max_digits=7, decimal_places=4)


class Account(Plain):
    """An account of the chart."""

    number = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)


class Series(Plain):
    """Last number of a series and year."""

    code = models.CharField(max_length=10)
    year = models.IntegerField()
    last_no = models.BigIntegerField(default=0)


class Invoice(Plain):
    """An issued invoice."""

    number = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    frozen = models.JSONField()
    issued_on = models.DateField()
    due_on = models.DateField()
    currency = models.CharField(max_length=3)
    net = models.DecimalField(**AMOUNT)
    vat = models.DecimalField(**AMOUNT)
    gross = models.DecimalField(**AMOUNT)
    vat_summary = models.JSONField()
    version = models.BigIntegerField(default=1)


class InvoiceLine(Plain):
    """A line."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    line_no = models.IntegerField()
    name = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=19, decimal_places=6)
    vat_code = models.ForeignKey(VatCode, on_delete=models.PROTECT)
    net = models.DecimalField(**AMOUNT)
    vat = models.DecimalField(**AMOUNT)
    gross = models.DecimalField(**AMOUNT)


class Settlement(Plain):
    """What is open of an invoice."""

    invoice = models.OneToOneField(Invoice, primary_key=True, on_delete=models.PROTECT)
    state = models.CharField(max_length=12, default="open")
    paid = models.DecimalField(**AMOUNT)


class JournalEntry(Plain):
    """An entry."""

    entry_on = models.DateField()
    posting_key = models.CharField(max_length=120, unique=True)
    document_number = models.CharField(max_length=40)


class JournalLine(Plain):
    """A line of an entry."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    amount = models.DecimalField(**AMOUNT)
    customer_id = models.BigIntegerField()
    vat_code = models.CharField(max_length=20, default="")
    text = models.CharField(max_length=200, default="")


class Change(Plain):
    """Audit trail."""

    key = models.BigIntegerField()
    payload = models.JSONField()


class CopyOne(Plain):
    """First reader's copy."""

    number = models.CharField(max_length=40)
    payload = models.JSONField()


class CopyTwo(Plain):
    """Second reader's copy."""

    number = models.CharField(max_length=40)
    payload = models.JSONField()


TABLES = (
    Customer, VatCode, Account, Series, Invoice, InvoiceLine, Settlement, JournalEntry, JournalLine, Change, CopyOne,
    CopyTwo,
)  # fmt: skip


def issue(customer_id: int, lines: list[dict[str, Any]], day: date) -> str:
    """Issue one invoice; returns its number."""
    with transaction.atomic():  # noqa: TID251  a plain Django programme of its own, without our modules
        series = Series.objects.select_for_update().get(code="INV", year=day.year)
        series.last_no += 1
        series.save()
        customer = Customer.objects.get(pk=customer_id)
        codes = [VatCode.objects.get(code=line["vat_code"]) for line in lines]
        totals = document_totals(
            [
                LineInput(x["quantity"], Decimal(x["unit_price"]), x["vat_code"], c.rate)
                for x, c in zip(lines, codes, strict=True)
            ],
            "HUF",
        )
        number = f"INV-{day.year}-{series.last_no:06}"
        rates = [{"vat_code": r.vat_code, "net": str(r.net), "vat": str(r.vat)} for r in totals.rates]
        invoice = Invoice.objects.create(
            number=number, customer=customer, frozen={"name": customer.name, "country": customer.country},
            issued_on=day, due_on=day + timedelta(days=customer.terms), currency="HUF", net=totals.net,
            vat=totals.vat, gross=totals.gross, vat_summary=rates,
        )  # fmt: skip
        for n, (line, code, t) in enumerate(zip(lines, codes, totals.lines, strict=True), start=1):
            InvoiceLine.objects.create(
                invoice=invoice, line_no=n, name=line["name"], quantity=line["quantity"],
                unit_price=Decimal(line["unit_price"]), vat_code=code, net=t.net, vat=t.vat, gross=t.gross,
            )  # fmt: skip
        Settlement.objects.create(invoice=invoice)
        _post(invoice, lines, totals)
        _tell(invoice, lines)
        return number


def _post(invoice: Invoice, lines: list[dict[str, Any]], totals: Any) -> None:
    entry = JournalEntry.objects.create(
        entry_on=invoice.issued_on, posting_key=f"invoice:{invoice.pk}", document_number=invoice.number
    )
    booked = [("311", totals.gross, "", "")]
    booked += [("9111", -t.net, x["vat_code"], x["name"]) for x, t in zip(lines, totals.lines, strict=True)]
    booked += [("467", -r.vat, r.vat_code, "") for r in totals.rates]
    for number, amount, code, text in booked:
        JournalLine.objects.create(
            entry=entry, account=Account.objects.get(number=number), amount=amount,
            customer_id=invoice.customer_id, vat_code=code, text=text,
        )  # fmt: skip
    if entry.lines.aggregate(total=models.Sum("amount"))["total"]:
        raise ValueError("the entry does not balance")


def _tell(invoice: Invoice, lines: list[dict[str, Any]]) -> None:
    payload = json.loads(
        json.dumps({"number": invoice.number, "gross": str(invoice.gross), "lines": lines}, default=str)
    )
    Change.objects.create(key=invoice.pk, payload=payload)
    CopyOne.objects.create(pk=invoice.pk, number=invoice.number, payload=payload)
    CopyTwo.objects.create(pk=invoice.pk, number=invoice.number, payload=payload)
