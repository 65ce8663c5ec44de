"""Finance's operations over REST; each POST is one call of a service with the caller's key."""

from __future__ import annotations

from typing import Any

from erp.actor import Actor
from erp.api import operations
from finance.models import JournalEntry, Payment
from finance.rest import inputs, reading
from finance.services import corrections, crediting, invoicing, payments, posting

Data = operations.Data


class FinanceOperation(operations.OperationView):
    """An operation that needs Finance's duty."""

    module = "finance"


class CollectionOperation(operations.CollectionOperation, FinanceOperation):
    """A collection of Finance's."""

    success_status = 201


class IssueDraft(FinanceOperation):
    """Issue a draft: it gets its number and never changes again."""

    serializer_class = inputs.NothingMore

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Issue."""
        return self.once(key, path, lambda: invoicing.issue_draft(path["pk"], actor))


class CreditInvoice(FinanceOperation):
    """Credit lines of an invoice, or cancel all that is left of it."""

    serializer_class = inputs.CreditInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Issue the credit note."""
        return crediting.issue_credit_note(
            path["pk"], actor=actor, lines=data.get("lines"), reason=data["reason"], issued_on=data.get("issued_on"),
            key=key,
        )  # fmt: skip


class CorrectInvoice(FinanceOperation):
    """Correct price, quantity or VAT code of lines of an invoice, or add lines, in one document over the difference."""

    serializer_class = inputs.CorrectionInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Issue the correction."""
        return corrections.correct_invoice(path["pk"], data, actor=actor, key=key)


class PayInvoice(FinanceOperation):
    """Record a payment of one document; what exceeds it stays on the customer's account."""

    serializer_class = inputs.InvoicePaymentInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Record, post, allocate."""
        return payments.record_payment({**data, "invoice_id": path["pk"]}, actor=actor, idempotency_key=key)


class Payments(CollectionOperation):
    """Payments: list, and record one for any number of documents."""

    queryset = Payment.objects.all()
    row_serializer = reading.PaymentSerializer
    serializer_class = inputs.PaymentInput
    filterset_fields = ("customer_id", "method", "received_on")

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Record, post, allocate."""
        return payments.record_payment(data, actor=actor, idempotency_key=key)


class AllocatePayment(FinanceOperation):
    """Settle documents with what is left of a payment."""

    serializer_class = inputs.AllocationsInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Allocate."""
        wanted = data["allocations"]
        run = lambda: payments.allocate_payment(path["pk"], wanted, actor=actor)  # noqa: E731
        return self.once(key, [path, wanted], run)


class JournalEntries(CollectionOperation):
    """Entries: list, and post a manual one."""

    queryset = JournalEntry.objects.prefetch_related("lines")
    row_serializer = reading.JournalEntrySerializer
    serializer_class = inputs.JournalEntryInput
    filterset_fields = ("journal", "period", "entry_on", "document_kind", "document_id", "posting_key")

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Post."""
        return posting.post_journal_entry(data, actor=actor, posting_key=f"manual:{key}"[:120])


class ReverseEntry(FinanceOperation):
    """Post the opposite of an entry, once."""

    serializer_class = inputs.ReversalInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Reverse."""

        def run() -> Data:
            return posting.reverse_entry(path["pk"], actor=actor, on_date=data.get("on_date"), reason=data["reason"])

        return self.once(key, [path, data], run)
