"""Money paid back, taken back and given up, over REST."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import CharField, ChoiceField, IntegerField

from erp.actor import Actor
from finance.models import Payment
from finance.rest.inputs import Input, NothingMore, money_field
from finance.rest.operations import Data, FinanceOperation
from finance.services import refunds, write_offs


class RefundInput(Input):
    """How it is paid back."""

    method = ChoiceField(Payment.Method.choices, default="transfer")


class RefundInvoice(FinanceOperation):
    """Pay back all that is open of a credit note."""

    serializer_class = RefundInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Pay back; the answer is the payment."""
        return refunds.refund(path["pk"], actor=actor, method=data["method"], key=key)


class PaymentRefundInput(Input):
    """How much is paid back (default: all that is left), and how (default: as it came)."""

    amount = money_field(required=False)
    method = ChoiceField([("", ""), *Payment.Method.choices], default="")


class RefundPayment(FinanceOperation):
    """Pay back what is left of a payment on the customer's account, or a part of it."""

    serializer_class = PaymentRefundInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Pay back; the answer is the payment that goes out."""
        return refunds.refund_payment(
            path["pk"], actor=actor, amount=data.get("amount"), method=data["method"], key=key
        )


class ReversePayment(FinanceOperation):
    """Undo a payment that was recorded by mistake: its documents are open again."""

    serializer_class = NothingMore
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Reverse; the answer is the payment that undoes it."""
        return self.once(key, path, lambda: refunds.reverse_payment(path["pk"], actor=actor))


class DeallocationInput(Input):
    """The document that is open again."""

    invoice_id = IntegerField()


class DeallocatePayment(FinanceOperation):
    """Take back what a payment settles of a document."""

    serializer_class = DeallocationInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Take back; the answer is the payment."""
        invoice_id = data["invoice_id"]
        run = lambda: refunds.deallocate_payment(path["pk"], invoice_id, actor=actor)  # noqa: E731
        return self.once(key, [path, data], run)


class WriteOffInput(Input):
    """What is given up (default: all that is open), and why."""

    amount = money_field(required=False, min_value=0)
    reason = CharField(max_length=200)


class WriteOffInvoice(FinanceOperation):
    """Give up what is open of a document, up to the limit."""

    serializer_class = WriteOffInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Write off."""
        return write_offs.write_off(path["pk"], actor=actor, reason=data["reason"], amount=data.get("amount"), key=key)
