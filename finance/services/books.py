"""Sets up the books: chart of accounts, journals, VAT codes from the product's own files."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from erp.actor import Actor
from erp.db import module_transaction
from finance.models import Account, Journal, VatCode
from finance.serializers import VatCodeSerializer

DATA = Path(__file__).resolve().parent.parent / "data"

JOURNALS = {
    "SAL": "Sales",
    "BNK": "Bank and payment providers",
    "CSH": "Cash",
    "STK": "Stock",
    "GEN": "General",
    "OPN": "Opening and closing",
}

def set_up_books(actor: Actor) -> dict[str, int]:
    """Load what a new installation needs to post; idempotent, and leaves alone what the accountant has changed."""
    return {"accounts": _accounts(), "journals": _journals(), "vat_codes": _vat_codes(actor)}


def _read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _accounts() -> int:
    rows = _read("chart_of_accounts.csv")
    with module_transaction("finance"):
        made = {a.number: a for a in Account.objects.all()}
        before = len(made)
        for row in rows:  # sorted by number, so a group comes before its members
            if row["number"] not in made:
                made[row["number"]] = Account.objects.create(
                    number=row["number"], name=row["name"], name_hu=row["name_hu"], type=row["type"],
                    normal_balance=row["normal_balance"] or "D", parent=made.get(row["parent"]),
                    is_group=row["is_group"] == "1",
                )  # fmt: skip
    return len(made) - before


def _journals() -> int:
    before = Journal.objects.count()
    with module_transaction("finance"):
        Journal.objects.bulk_create(
            [Journal(code=code, name=name) for code, name in JOURNALS.items()], ignore_conflicts=True
        )
    return Journal.objects.count() - before


def _vat_codes(actor: Actor) -> int:
    known = set(VatCode.objects.values_list("code", flat=True))
    rows = [
        {**row, "rate": Decimal(row["rate"]), "valid_from": date.fromisoformat(row["valid_from"])}
        for row in _read("vat_codes.csv")
        if row["code"] not in known
    ]
    if rows:
        VatCodeSerializer.bulk_save(rows, actor=actor)
    return len(rows)
