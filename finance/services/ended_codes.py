"""VAT codes that ended between an order and its delivery: the supply is taxed as of the day it is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from finance.errors import UnknownVatCode
from finance.models import ProductCopy, VatCode
from finance.services.customers import frozen_customer
from finance.services.sources import Sources
from finance.services.vat_choice import choose_vat_code

ENDED = "exists (select 1 from vat_code v where v.code = any(%s::text[]) and v.valid_to < %s::date),"
"""Whether a code ended before a day; its arguments are :func:`ended_arguments`."""


def ended_arguments(data: Mapping[str, Any]) -> list[Any]:
    """Arguments of :data:`ENDED` for a goods issue."""
    return [sorted({line["vat_code"] for line in data["lines"]}), data["issued_on"]]


def with_codes_of_day(data: Mapping[str, Any], sources: Sources, day: date) -> dict[str, Any]:
    """A goods issue whose lines carry, instead of a code that ended, the one that product and customer have on the day.

    The price agreed stays: with gross prices the total, with net prices what VAT is added to.

    Raises:
        UnknownVatCode: no code of the same treatment (the same category) is valid then.
    """
    codes = VatCode.objects.in_bulk(field_name="code")
    country = frozen_customer(sources.customer, data.get("bill_to"), data.get("country") or "")["country"]
    lines = []
    for line in data["lines"]:
        before = codes.get(line["vat_code"])
        if before is None or before.valid_to is None or before.valid_to >= day:
            lines.append(line)
            continue
        product = sources.products.get(line.get("product_id") or 0)
        follows = codes.get(_proper(line, product, sources, country, day))
        if follows is None or follows.category != before.category or not _is_valid(follows, day):
            raise UnknownVatCode(
                f"Line {line['name']}: VAT code {before.code} ended on {before.valid_to}, and for {day} no code "
                f"follows from product {line.get('sku') or 'none'}: give the product the code that is valid now"
            )
        lines.append({**line, "vat_code": follows.code, "vat_rate": follows.rate})
    return {**data, "lines": lines}


def _proper(
    line: Mapping[str, Any], product: ProductCopy | None, sources: Sources, country: str, day: date
) -> str:  # fmt: skip
    kind = product.product_class if product else line.get("product_class") or "goods"
    default = product.vat_code if product else line["vat_code"]
    return choose_vat_code(kind, sources.customer.vat_status, country, day, default)


def _is_valid(code: VatCode, day: date) -> bool:
    return code.retired_at is None and code.valid_from <= day <= (code.valid_to or day)
