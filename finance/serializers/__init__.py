"""The only ways to write what Finance owns: VAT codes and drafts row by row, postings and documents set-wise."""

from finance.serializers.drafts import InvoiceSerializer
from finance.serializers.vat import VatCodeSerializer

__all__ = ["InvoiceSerializer", "VatCodeSerializer"]
