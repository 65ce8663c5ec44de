"""What Finance owns.

Glossary: an *account* is a line of the chart; a *journal* groups entries by where they come from; an *entry* is one
balanced posting of two or more *lines* (debit positive, credit negative); a *period* is a calendar month that may be
locked; a *document* is an invoice or a credit note; its *settlement* says what of it is still open; a *series* numbers
documents without gaps per fiscal year; a *seal* is an entry's or a document's place in a chain of hashes; a *valued
move* is a stock move at its cost.
"""

from finance.copies import CustomerCopy, ProductCopy, SalesOrderCopy
from finance.models.balances import LedgerBalance
from finance.models.bank import BankEntry, BankMapping, BankStatement
from finance.models.calendar import ClosedYear, EntryAttachment, PeriodChange, PeriodCheck, RecurringEntry
from finance.models.inventory import MarginCost, ProductCost, ValuedMove
from finance.models.invoices import (
    DOCUMENT_KINDS,
    SALES_KINDS,
    CollectiveCustomer,
    Invoice,
    InvoiceLine,
    InvoiceSettlement,
    NumberSeries,
    WaitingIssue,
)
from finance.models.ledger import Account, FiscalPeriod, Journal, JournalEntry, JournalLine
from finance.models.payments import Payment, PaymentAllocation, WriteOff
from finance.models.rates import ExchangeRate, VatCode
from finance.models.reporting import (
    NavAnnulment,
    NavBatch,
    NavChannel,
    NavCredential,
    NavItem,
    NavSubmission,
)
from finance.models.seals import EntrySeal, InvoiceSeal, SealHead, SealMark
from finance.standard import ChangeJournal, CopyPosition, CopyTick, IdempotencyKey, ReaderState, RelayItem

__all__ = [
    "DOCUMENT_KINDS",
    "SALES_KINDS",
    "Account",
    "BankEntry",
    "BankMapping",
    "BankStatement",
    "ChangeJournal",
    "ClosedYear",
    "CollectiveCustomer",
    "CopyPosition",
    "CopyTick",
    "CustomerCopy",
    "EntryAttachment",
    "EntrySeal",
    "ExchangeRate",
    "FiscalPeriod",
    "IdempotencyKey",
    "Invoice",
    "InvoiceLine",
    "InvoiceSeal",
    "InvoiceSettlement",
    "Journal",
    "JournalEntry",
    "JournalLine",
    "LedgerBalance",
    "MarginCost",
    "NavAnnulment",
    "NavBatch",
    "NavChannel",
    "NavCredential",
    "NavItem",
    "NavSubmission",
    "NumberSeries",
    "Payment",
    "PaymentAllocation",
    "PeriodChange",
    "PeriodCheck",
    "ProductCopy",
    "ProductCost",
    "ReaderState",
    "RecurringEntry",
    "RelayItem",
    "SalesOrderCopy",
    "SealHead",
    "SealMark",
    "ValuedMove",
    "VatCode",
    "WaitingIssue",
    "WriteOff",
]
