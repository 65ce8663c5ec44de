"""What a document is drawn up from, as Finance has it: customer, products, VAT codes, in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import fetch_prepared
from erp.fields import load_json
from finance.errors import UnknownCustomer
from finance.models import CustomerCopy, ProductCopy


@dataclass(frozen=True)
class Code:
    """A VAT code as lines need it."""

    rate: Decimal
    valid_from: date
    valid_to: date | None
    is_retired: bool

    def is_valid_on(self, day: date) -> bool:
        """Whether a document of the day may carry it."""
        return not self.is_retired and self.valid_from <= day <= (self.valid_to or day)


@dataclass(frozen=True)
class Sources:
    """Customer, products by id and VAT codes by code."""

    customer: CustomerCopy
    products: Mapping[int, ProductCopy]
    codes: Mapping[str, Code]


SOURCES = """
  (select to_jsonb(c)::text from customer_copy c where c.id = %s::bigint),
  (select jsonb_agg(to_jsonb(p))::text from product_copy p where p.id = any(%s::bigint[])),
  (select jsonb_object_agg(v.code, jsonb_build_object('rate', v.rate::text, 'valid_from', v.valid_from,
     'valid_to', v.valid_to, 'is_retired', v.retired_at is not null))::text from vat_code v where %s::boolean)"""
"""Select list of :func:`sources_of`; its arguments are :func:`source_arguments`."""


def source_arguments(customer_id: int, product_ids: Iterable[int | None], *, with_codes: bool) -> list[Any]:
    """Arguments of :data:`SOURCES`."""
    return [customer_id, sorted({key for key in product_ids if key is not None}), with_codes]


def sources_of(customer_id: int, product_ids: Iterable[int | None]) -> Sources:
    """Sources of a document of a customer over products. Raises UnknownCustomer."""
    arguments = source_arguments(customer_id, product_ids, with_codes=True)
    return read_sources(customer_id, fetch_prepared("finance", f"select {SOURCES}", arguments)[0])


def read_sources(customer_id: int, row: tuple[Any, ...]) -> Sources:
    """Sources from the three columns of :data:`SOURCES`. Raises UnknownCustomer."""
    customer, products, codes = (load_json(text) for text in row)
    if customer is None:
        raise UnknownCustomer(f"There is no customer {customer_id}", customer_id=customer_id)
    return Sources(
        _row(CustomerCopy, customer),
        {p["id"]: _row(ProductCopy, p) for p in products or ()},
        {code: _code(values) for code, values in (codes or {}).items()},
    )


def _row(model: Any, values: Mapping[str, Any]) -> Any:
    names = [f.attname for f in model._meta.concrete_fields]
    return model.from_db("finance", names, [values.get(name) for name in names])


def _code(values: Mapping[str, Any]) -> Code:
    until = values["valid_to"]
    return Code(
        Decimal(values["rate"]), date.fromisoformat(values["valid_from"]), until and date.fromisoformat(until),
        values["is_retired"],
    )  # fmt: skip
