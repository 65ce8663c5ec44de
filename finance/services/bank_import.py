"""Imports bank statements: previewed without writing, then written whole; what is known already is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retrying
from finance.models import BankEntry, BankMapping, BankStatement
from finance.services.bank_camt import read_camt
from finance.services.bank_files import Entry, Statement, read_csv, refuse


@dataclass(frozen=True)
class Plan:
    """What importing a statement does: its new entries, and how many are known."""

    statement: Statement
    new: tuple[Entry, ...]
    known: int
    is_known: bool  # the statement itself was imported before


def read_statements(
    content: bytes, *, mapping: BankMapping | None = None, account: str = "", currency: str = "",
    closing_balance: Decimal | None = None,
) -> list[Statement]:  # fmt: skip
    """Statements of a file: CSV with a mapping, else CAMT.053. Raises BadStatement with every error."""
    if mapping is None:
        return read_camt(content)
    return [read_csv(content, mapping, account.replace(" ", ""), currency, closing_balance)]


def plan_import(statements: Sequence[Statement]) -> list[Plan]:
    """What an import would do; writes nothing.

    Raises:
        BadStatement: an entry that is known by its reference comes with another day or amount.
    """
    errors: list[str] = []
    plans = [_plan(statement, errors) for statement in statements]
    refuse(errors)
    return plans


def _plan(statement: Statement, errors: list[str]) -> Plan:
    references = [entry.entry_ref for entry in statement.entries]
    rows = BankEntry.objects.filter(account=statement.account, entry_ref__in=references)
    known = {row.entry_ref: row for row in rows}
    for entry in statement.entries:
        row = known.get(entry.entry_ref)
        if row and (row.amount, row.booked_on, row.currency) != (entry.amount, entry.booked_on, entry.currency):
            errors.append(
                f"row {entry.row}: {entry.entry_ref} was imported as {row.booked_on} {row.amount} {row.currency}, "
                f"now it is {entry.booked_on} {entry.amount} {entry.currency}"
            )
    new = tuple(entry for entry in statement.entries if entry.entry_ref not in known)
    is_known = BankStatement.objects.filter(account=statement.account, statement_ref=statement.statement_ref).exists()
    return Plan(statement, new, len(known), is_known)


def import_statements(statements: Sequence[Statement], *, actor: Actor, file_name: str = "") -> dict[str, Any]:
    """Write statements with their new entries, all or nothing; a repeat writes nothing.

    Imports of one account queue, so of two at once the second finds what the first has written.

    Returns:
        ``statements`` and ``entries`` written now, ``known`` entries passed over.
    """

    def run() -> dict[str, Any]:
        with cursor("finance") as cur:
            for account in sorted({s.account for s in statements}):
                cur.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_IMPORT_LOCK, account])
        plans = plan_import(statements)
        written = [_write(plan, actor, file_name) for plan in plans if plan.new or not plan.is_known]
        return {
            "statements": len(written), "entries": sum(written), "known": sum(plan.known for plan in plans),
        }  # fmt: skip

    return retrying("finance", run)


def _write(plan: Plan, actor: Actor, file_name: str) -> int:
    s = plan.statement
    row, _ = BankStatement.objects.get_or_create(
        account=s.account, statement_ref=s.statement_ref,
        defaults={
            "currency": s.currency, "format": s.format, "file_name": file_name[:200], "first_on": s.first_on,
            "last_on": s.last_on, "opening_balance": s.opening_balance, "closing_balance": s.closing_balance,
            "actor_name": actor.name,
        },
    )  # fmt: skip
    names = ("entry_ref", "booked_on", "value_on", "amount", "currency", "payer_name", "payer_account", "reference")
    BankEntry.objects.bulk_create(
        BankEntry(statement=row, account=s.account, **{name: getattr(entry, name) for name in names})
        for entry in plan.new
    )
    return len(plan.new)


_IMPORT_LOCK = 1179209219
