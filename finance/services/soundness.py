"""Whether the books hold as a whole, in sentences for whoever has just written many documents."""

from __future__ import annotations

from datetime import date

from finance.services import sealing, tie_out
from finance.services.vat_documents import document_differences
from finance.services.vat_return import vat_return


def books_problems(first: date, last: date) -> dict[str, list[str]]:
    """``chains``: what was altered after it was sealed; ``subledgers``; ``vat``: account or document and return differ.

    Every list is empty when the books of these days are sound.
    """
    found = vat_return(first, last)
    vat = [f"VAT account {a.account} holds {a.difference} that the VAT return does not explain" for a in found.accounts
           if a.difference]  # fmt: skip
    vat += [
        f"{row['number']}, VAT code {row['code']}: the document says {row['base']} + {row['tax']}, the ledger "
        f"{row['booked_base']} + {row['booked_tax']}"
        for row in document_differences(first, last)
    ]
    return {
        "chains": [damage.message for damage in sealing.verify().damages],
        "subledgers": [str(difference) for difference in tie_out.differences(last)],
        "vat": vat,
    }
