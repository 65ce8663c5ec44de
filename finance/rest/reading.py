"""What Finance owns over REST: VAT codes are written, documents and the ledger are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from erp.actor import actor_of
from erp.api.base import ActorMixin, etag
from erp.api.permissions import EntityPermission
from erp.api.views import IDEMPOTENCY_HEADER, OwnerReadViewSet, OwnerViewSet, idempotency_key
from finance.models import Account, Invoice, JournalEntry, JournalLine, Payment, VatCode
from finance.rest.inputs import InvoiceInput
from finance.serializers import InvoiceSerializer, VatCodeSerializer
from finance.services import invoicing, reading


class VatCodeViewSet(OwnerViewSet):
    """VAT codes; a write returns when Admin and Storefront have confirmed it."""

    queryset = VatCode.objects.all()
    serializer_class = VatCodeSerializer
    filterset_fields = ("code", "category", "direction", "rate")


class IssuedInvoiceSerializer(InvoiceSerializer):
    """A document as readers see it: with what is paid and credited of it."""

    payment_state = serializers.SerializerMethodField()
    paid_total = serializers.SerializerMethodField()
    credited_total = serializers.SerializerMethodField()

    class Meta(InvoiceSerializer.Meta):
        fields = (*InvoiceSerializer.Meta.fields, "payment_state", "paid_total", "credited_total")  # type: ignore[assignment]

    def get_payment_state(self, row: Invoice) -> str:
        """State of the settlement; a draft has none."""
        return row.settlement.state if hasattr(row, "settlement") else "open"

    def get_paid_total(self, row: Invoice) -> Decimal:
        """Allocated payments, with the document's sign."""
        return row.settlement.paid_total if hasattr(row, "settlement") else Decimal(0)

    def get_credited_total(self, row: Invoice) -> Decimal:
        """Credit notes issued against it."""
        return row.settlement.credited_total if hasattr(row, "settlement") else Decimal(0)


class InvoiceViewSet(OwnerReadViewSet):
    """Invoices and credit notes; POST creates and issues a manual invoice."""

    queryset = Invoice.objects.select_related("settlement").prefetch_related("lines")
    serializer_class = IssuedInvoiceSerializer
    filterset_fields = ("number", "kind", "state", "customer_id", "order_id", "shipment_id", "return_id", "issued_on")

    @extend_schema(parameters=[IDEMPOTENCY_HEADER], request=InvoiceInput, responses={201: IssuedInvoiceSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create and issue an invoice; a repeat with the same key gives the same one."""
        key = idempotency_key(request, required=True)
        given = InvoiceInput(data=request.data)
        given.is_valid(raise_exception=True)
        done = invoicing.create_invoice(given.validated_data, actor_of(request.user), f"{request.user.pk}:{key}")
        body = reading.get_invoice(done["id"])
        response = self._answer(body, status.HTTP_201_CREATED, tag=etag(body["version"]))
        response["Location"] = request.build_absolute_uri(f"{request.path}{body['id']}/")
        return response


class LedgerLineSerializer(serializers.ModelSerializer[JournalLine]):
    """A posted line of the general ledger."""

    class Meta:
        model = JournalLine
        exclude = ("xid", "updated_at", "retired_at")


class LedgerViewSet(OwnerReadViewSet):
    """The general ledger, live; entries are posted at ``journal-entries/``."""

    queryset = JournalLine.objects.all()
    serializer_class = LedgerLineSerializer
    filterset_fields = (
        "entry_id", "account", "journal", "period", "entry_on", "tax_on", "customer_id", "product_id", "document_kind",
        "document_number", "document_id", "vat_code",
    )  # fmt: skip


class InternalReadViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Any]):
    """List and detail of a table that Finance keeps for itself."""

    permission_classes = (EntityPermission,)
    lookup_value_regex = r"\d{1,18}"


class AccountSerializer(serializers.ModelSerializer[Account]):
    """An account of the chart."""

    class Meta:
        model = Account
        fields = "__all__"


class AccountViewSet(InternalReadViewSet):
    """The chart of accounts."""

    queryset = Account.objects.all()
    serializer_class = AccountSerializer
    filterset_fields = ("number", "type", "is_group", "is_active")


class JournalEntrySerializer(serializers.ModelSerializer[JournalEntry]):
    """An entry with its lines."""

    lines = LedgerLineSerializer(many=True, read_only=True)

    class Meta:
        model = JournalEntry
        exclude = ("xid",)


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment; ``allocated`` of it settles documents."""

    class Meta:
        model = Payment
        fields = "__all__"
