"""Refusals of Finance; each docstring's first line is the message a person reads."""

from __future__ import annotations

from erp.errors import Refused


class UnbalancedEntry(Refused):
    """The entry does not balance: debits and credits must be equal."""

    code = "unbalanced-entry"


class PeriodClosed(Refused):
    """The period of this date is closed for posting."""

    code = "period-closed"


class UnknownAccount(Refused):
    """An account does not exist, is out of use, or is a group."""

    code = "unknown-account"


class AlreadyPosted(Refused):
    """This was posted before; a posting is made once."""

    code = "already-posted"


class UnknownVatCode(Refused):
    """Finance has no such VAT code for this date."""

    code = "unknown-vat-code"


class NoExchangeRate(Refused):
    """There is no exchange rate for this currency and date."""

    code = "no-exchange-rate"


class UnknownCustomer(Refused):
    """There is no such customer."""

    code = "unknown-customer"


class EmptyDocument(Refused):
    """A document needs at least one line."""

    code = "empty-document"


class NotADraft(Refused):
    """Only a draft can be issued."""

    code = "not-a-draft"


class NotCreditable(Refused):
    """Only an issued invoice can be credited."""

    code = "not-creditable"


class NotCorrectable(Refused):
    """The invoice cannot be corrected like this."""

    code = "not-correctable"


class DatedBeforeOriginal(Refused):
    """What changes an invoice cannot be dated before it."""

    code = "dated-before-original"


class NotInvoicedYet(Refused):
    """The goods are not invoiced yet, so they cannot be credited."""

    code = "not-invoiced-yet"


class CreditExceedsInvoice(Refused):
    """More would be credited than was invoiced."""

    code = "credit-exceeds-invoice"


class MoveOutOfOrder(Refused):
    """Stock moves of a product are valued strictly in their order; an earlier one is still missing."""

    code = "move-out-of-order"


class InsufficientValue(Refused):
    """The move takes more pieces than the books hold."""

    code = "insufficient-value"


class PaymentNotAllocatable(Refused):
    """The payment cannot settle this document."""

    code = "payment-not-allocatable"


class NotReversible(Refused):
    """A document stands behind this entry; correct the document instead."""

    code = "not-reversible"


class ChainBroken(Refused):
    """The books were changed past their rules: a chain of hashes does not hold."""

    code = "chain-broken"


class GrossPricesNeeded(Refused):
    """A simplified invoice has gross prices, with the VAT inside."""

    code = "gross-prices-needed"


class NotReportable(Refused):
    """The document cannot be reported to the NAV as it is."""

    code = "not-reportable"


class ReportingNotSetUp(Refused):
    """Reporting to the NAV is not set up on this installation."""

    code = "reporting-not-set-up"


class NotInThisState(Refused):
    """The report is not in a state in which this can be done."""

    code = "not-in-this-state"


class DiscountTooHigh(Refused):
    """A discount cannot be more than what it is taken off."""

    code = "discount-too-high"


class VatReasonMissing(Refused):
    """Another VAT code than the one that follows from product and customer needs a reason."""

    code = "vat-reason-missing"


class AdvanceExceeded(Refused):
    """More would be taken off an advance invoice than is left of it."""

    code = "advance-exceeded"


class NotCollectable(Refused):
    """There are no goods issues to be put on a collective invoice."""

    code = "not-collectable"


class BadStatement(Refused):
    """The bank statement cannot be imported."""

    code = "bad-statement"


class WriteOffTooHigh(Refused):
    """The amount is above the limit for writing off."""

    code = "write-off-too-high"


class NotBookable(Refused):
    """The bank entry is booked already or was set aside."""

    code = "not-bookable"


class BadPeriod(Refused):
    """This is no period."""

    code = "bad-period"


class SubledgersDiffer(Refused):
    """Accounts do not hold what their documents say."""

    code = "subledgers-differ"


class DateTooFarAhead(Refused):
    """Nothing is posted that far in the future."""

    code = "date-too-far-ahead"


class DateBeforeBooks(Refused):
    """No VAT period holds the tax point: it lies before the books begin."""

    code = "date-before-books"


class PeriodNotClosable(Refused):
    """The month cannot be closed for good yet."""

    code = "period-not-closable"


class ReasonMissing(Refused):
    """This needs a reason."""

    code = "reason-missing"


class YearNotClosable(Refused):
    """The fiscal year cannot be closed yet."""

    code = "year-not-closable"


class AttachmentRefused(Refused):
    """This file cannot be attached."""

    code = "attachment-refused"


class ChartRefused(Refused):
    """The chart of accounts cannot be imported like this."""

    code = "chart-refused"


class NothingToAccrue(Refused):
    """There is no revenue to be accrued."""

    code = "nothing-to-accrue"
