"""Every kind of drift in every copy is found, exactly, and named with its class of cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from erp.replication.resync import attach, detach
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_check
from tests.databases import ErpDatabase
from tests.scrub.planting import Installation, found, make_installation, run


@dataclass(frozen=True)
class Copy:
    """A copy, the check that looks at it, and a value in it that can be off by the least there is."""

    check: str
    reader: str
    entity: str
    column: str
    least: str

    @property
    def table(self) -> str:
        return f"{self.reader}.{self.entity}_copy"


COPIES = (
    Copy("customers", "finance", "customer", "payment_terms_days", "1"),
    Copy("customers", "logistics", "customer", "name", "'.'"),
    Copy("customers", "storefront", "customer", "name", "'.'"),
    Copy("products", "finance", "product", "base_price", "0.000001"),
    Copy("products", "logistics", "product", "weight_g", "1"),
    Copy("products", "storefront", "product", "base_price", "0.000001"),
    Copy("vat_codes", "admin_app", "vat_code", "rate", "0.0001"),
    Copy("vat_codes", "storefront", "vat_code", "rate", "0.0001"),
    Copy("invoices", "admin_app", "invoice", "gross_total", "0.01"),
    Copy("invoices", "storefront", "invoice", "vat_total", "0.01"),
    Copy("stock_copies", "storefront", "stock", "on_hand", "1"),
    Copy("stock_copies", "admin_app", "stock", "reserved", "1"),
    Copy("ledger_copy", "admin_app", "ledger", "amount", "0.01"),
    Copy("sales_orders", "finance", "sales_order", "gross_total", "0.01"),
    Copy("sales_orders", "storefront", "sales_order", "number", "'.'"),
)

LIKE = "insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(t) || {change})).* from {table} t "
KINDS = {
    "missing": ("delete from {table} where id = {a}", {"{a}": "lost"}),
    "extra": (LIKE.replace("{change}", "jsonb_build_object('id', 999999, '{column}', t.{column} {plus})")
              + "where id = {a}", {"999999": "rogue write"}),
    "off by the least": ("update {table} set {column} = {column} {plus} where id = {a}", {"{a}": "rogue write"}),
    "swapped keys": (
        "update {table} t set {swapped} from {table} o where (t.id, o.id) in (({a}, {b}), ({b}, {a}))",
        {"{a}": "rogue write", "{b}": "rogue write"},
    ),
    "stale": (
        "update {table} set version = version - 1, {column} = {column} {plus} where id = {a}", {"{a}": "lost"},
    ),
    "ahead": ("update {table} set version = version + 1 where id = {a}", {"{a}": "reordered"}),
    "same row under another key": (
        LIKE.replace("{change}", "'{{\"id\": 999999}}'") + "where id = {a}", {"999999": "duplicated"},
    ),
    "same row twice": ("insert into {table} select * from {table} where id = {a}", {"{a}": "duplicated"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def here(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    """One installation for all plants of this file."""
    with django_db_blocker.unblock():
        yield make_installation(module_erp)


def keys_of(here: Installation, copy: Copy) -> tuple[int, int]:
    """Two rows of a copy, of the same version where there are such."""
    with here.erp.connect("postgres") as c:
        rows: Any = c.execute(
            f"select array(select id from (select id, count(*) over (partition by version) as alike "  # type: ignore[arg-type]
            f"from {copy.table}) x order by alike < 2, id limit 2)"
        ).fetchone()
    return rows[0][0], rows[0][1]


def values_of(here: Installation, copy: Copy, a: int, b: int) -> dict[str, Any]:
    """What the statements of KINDS are filled with."""
    with here.erp.connect("postgres") as c:
        columns = [
            name for (name,) in c.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
                "and attname not in ('id', 'version', 'tick', 'epoch')", [copy.table],
            ).fetchall()
        ]  # fmt: skip
    plus = f"|| {copy.least}" if copy.least.startswith("'") else f"+ {copy.least}"
    swapped = ", ".join(f"{name} = o.{name}" for name in columns)
    return {"table": copy.table, "column": copy.column, "plus": plus, "a": a, "b": b, "swapped": swapped}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copy", COPIES, ids=lambda c: f"{c.reader}-{c.entity}")
def test_planted_drift_is_found_exactly(here: Installation, copy: Copy, kind: str) -> None:
    a, b = keys_of(here, copy)
    values = values_of(here, copy, a, b)
    statement, expected = KINDS[kind]
    before: tuple[str, ...] = ()
    undo = ""
    if kind == "same row twice":
        before = (f"alter table {copy.table} drop constraint {copy.entity}_copy_pkey",)
        undo = f"alter table {copy.table} add primary key (id)"
    with here.planted(*before, statement.format(**values).replace("{", "{{").replace("}", "}}"), undo=undo):
        result = run(copy.check)
        rows = {key: cause for key, cause in found(result).items() if " account " not in key}
    assert rows == {f"{copy.reader}/{copy.entity} {key.format(**values)}": cause for key, cause in expected.items()}
    assert result.status == "alert"
    assert run(copy.check).status == "ok"


@pytest.mark.parametrize("change", ["lines = '[]'", "payment_state = 'written_off'"])
@pytest.mark.parametrize("reader", ["admin_app", "storefront"])
def test_lines_and_payment_state_of_copied_invoices_are_compared(here: Installation, reader: str, change: str) -> None:
    key = here.names["invoice"][0]
    with here.planted(f"update {reader}.invoice_copy set {change} where id = {key}"):
        assert found(run("invoices")) == {f"{reader}/invoice {key}": "rogue write"}


OWNERS = {
    "customers": ("admin_app.customer", "name = name || '.'", "customer", ("finance", "logistics", "storefront")),
    "products": ("admin_app.product", "base_price = base_price + 1", "product", ("finance", "logistics", "storefront")),
    "vat_codes": ("finance.vat_code", "rate = rate + 1", "vat_code", ("admin_app", "storefront")),
    "invoices": ("finance.invoice", "gross_total = gross_total + 1", "invoice", ("admin_app", "storefront")),
    "ledger_copy": ("finance.journal_line", "amount = amount + 1", "ledger", ("admin_app",)),
}


@pytest.mark.parametrize("name", OWNERS)
def test_owner_changed_past_its_journal_is_told_from_its_copies(here: Installation, name: str) -> None:
    table, change, entity, readers = OWNERS[name]
    key = {"invoice": here.names["invoice"][0], "ledger": here.names["line"][0]}.get(entity, 1)
    with here.planted(f"update {table} set {change} where id = {key}"):
        result = run(name)
        rows = {k: cause for k, cause in found(result).items() if " account " not in k}
    assert rows == {f"{reader}/{entity} {key}": "owner corrupt" for reader in readers}
    assert result.repair.startswith(f"correct {entity} {key} at ")
    assert "resync" not in result.repair  # it would carry the corruption on


def test_account_of_the_ledger_copy_is_compared_at_its_position(here: Installation) -> None:
    with here.planted("update admin_app.ledger_copy set amount = amount + 0.01 where id = {line[0]}"):
        result = run("ledger_copy")
        accounts = {s.key: (s.expected, s.found) for s in result.samples if " account " in s.key}
    assert str(result.amount) == "0.0100"
    ((key, (expected, copied)),) = accounts.items()
    assert key.startswith("admin_app/ledger account 31")
    assert copied["sum"] - expected["sum"] == Decimal("0.01")
    assert copied["rows"] == expected["rows"]


def test_every_check_rests_between_its_steps(here: Installation, django_db_blocker: Any) -> None:
    rests: Counter[str] = Counter()
    with django_db_blocker.unblock():
        for spec in all_checks():
            run_check(spec, pause=partial(rests.update, [spec.name]))
    assert set(rests) == {spec.name for spec in all_checks()}


def test_check_whose_only_reader_is_detached_is_not_clean(here: Installation, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        detach("ledger", "admin_app", "moving disks")
        result = run("ledger_copy")
        attach("ledger", "admin_app")
        assert (result.status, result.compared, run("ledger_copy").status) == ("warning", 0, "ok")
    assert result.position == "Admin is detached from ledger and was not compared."
    assert result.repair == "manage.py resync ledger admin_app --attach"
