"""What Finance reports over REST: customers' statements, open items, ageing, trial balance; live, and as of a day."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.base import ActorMixin
from erp.api.permissions import DutyPermission
from erp.errors import NotFound
from finance.models import CustomerCopy
from finance.rest.inputs import NothingMore
from finance.services import balances, open_items
from finance.services.accounts import base_currency
from finance.services.customer_accounts import customer_statement

Row = TypeVar("Row", bound=models.Model)


class FinanceReport(ActorMixin, GenericAPIView[Any]):
    """Figures that whoever has Finance's duty may read."""

    permission_classes = (DutyPermission,)
    pagination_class = None
    filter_backends = ()
    serializer_class = NothingMore
    module: ClassVar[str] = "finance"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, **path: int) -> Response:
        """The report."""
        return Response(self.report(**path))

    def report(self, pk: int = 0) -> Any:
        """Figures as plain data."""
        raise NotImplementedError

    def found(self, model: type[Row], pk: int) -> Row:
        """A row by its key. Raises NotFound."""
        row = model._default_manager.filter(pk=pk).first()
        if row is None:
            raise NotFound(f"{model._meta.verbose_name} {pk} does not exist")
        return row

    def day(self, name: str, default: date) -> date:
        """A day from the query. Raises ValidationError."""
        text = self.request.query_params.get(name)
        if not text:
            return default
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise ValidationError({name: ["Give a day like 2026-03-31."]}) from error

    def past_day(self) -> date | None:
        """The past day that ``on`` names; None: as it stands now."""
        today = timezone.now().date()
        on = self.day("on", today)
        return on if on < today else None


class CustomerStatementReport(FinanceReport):
    """A customer's account per currency: ``first`` to ``last`` (default: this year so far)."""

    known_parameters = ("first", "last")

    def report(self, pk: int = 0) -> dict[str, Any]:
        """Opening balance, moves with their running balance, closing balance; what was open at the end."""
        today = timezone.now().date()
        self.found(CustomerCopy, pk)
        first, last = self.day("first", today.replace(month=1, day=1)), self.day("last", today)
        found = customer_statement(pk, first, last)
        accounts = [
            {"currency": a.currency, "opening": a.opening, "moves": a.moves, "closing": a.closing}
            for a in found.accounts
        ]
        customer = {"id": pk, "number": found.customer.number, "name": found.customer.name}
        return {
            "customer": customer, "first": first, "last": last, "accounts": accounts, "open_items": found.open_items,
        }  # fmt: skip


class OpenItems(FinanceReport):
    """Documents and payments that are not settled, now or at the end of the day ``on``."""

    known_parameters = ("on", "customer_id")

    def report(self, pk: int = 0) -> dict[str, Any]:
        """The documents, payments on account, and the receivables accounts' balance in base currency."""
        text, on = self.request.query_params.get("customer_id", ""), self.past_day()
        if text and not text.isdecimal():
            raise ValidationError({"customer_id": ["Give the customer's id."]})
        customer_id = int(text) if text else None
        return {
            "on": on or timezone.now().date(), "documents": open_items.open_items(customer_id, on),
            "payments": open_items.open_payments(customer_id, on),
            "receivables": open_items.receivables_balance(on), "base_currency": base_currency(),
        }  # fmt: skip


class Ageing(FinanceReport):
    """What each customer owes by how late it is, now or at the end of the day ``on``."""

    known_parameters = ("on",)

    def report(self, pk: int = 0) -> dict[str, Any]:
        """Rows per customer and currency, and their sums per currency."""
        on = self.past_day()
        rows = open_items.ageing(on)
        return {"on": on or timezone.now().date(), "rows": rows, "totals": open_items.totals_by_currency(rows)}


class TrialBalance(FinanceReport):
    """Balances per account of ``first`` to ``last``; ``closing=with`` counts closing entries of the last day."""

    known_parameters = ("first", "last", "closing")

    def report(self, pk: int = 0) -> dict[str, Any]:
        """Accounts, subtotals per class, and the total, in base currency."""
        today = timezone.now().date()
        first, last = self.day("first", today.replace(month=1, day=1)), self.day("last", today)
        with_closing = self.request.query_params.get("closing") == "with"
        rows = balances.trial_balance(first, last, with_closing=with_closing)
        classes = [{"class": c.number, "name": c.name, **c.totals} for c in balances.by_class(rows)]
        return {
            "first": first, "last": last, "accounts": rows, "classes": classes, "total": balances.totals_of(rows),
            "base_currency": base_currency(),
        }  # fmt: skip
