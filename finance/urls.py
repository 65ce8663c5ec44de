"""URLs of Finance: its API under /api/v1/finance/ and its staff pages under /admin/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from erp.api.routers import copy_routes, entity_routes
from finance.rest import bank as of_bank
from finance.rest import collecting as collect
from finance.rest import operations as do
from finance.rest import reading as read
from finance.rest import reports as report
from finance.rest.printing import InvoicePdf
from finance.staff import balance_pages, bank, buttons, collecting, correcting, documents, pages, reports, taxpayers
from finance.staff.book_urls import book_urlpatterns

api_urlpatterns: list[URLPattern | URLResolver] = [
    *entity_routes("finance", read.VatCodeViewSet, read.InvoiceViewSet, read.LedgerViewSet),
    *copy_routes("finance"),
    path("invoices/<int:pk>/pdf/", InvoicePdf.as_view(), name="finance-invoice-pdf"),
    path("invoices/<int:pk>/issue/", do.IssueDraft.as_view(), name="finance-issue-draft"),
    path("invoices/<int:pk>/credit-note/", do.CreditInvoice.as_view(), name="finance-credit-invoice"),
    path("invoices/<int:pk>/correction/", do.CorrectInvoice.as_view(), name="finance-correct-invoice"),
    path("invoices/<int:pk>/payments/", do.PayInvoice.as_view(), name="finance-pay-invoice"),
    path("payments/", do.Payments.as_view(), name="finance-payments"),
    path("payments/<int:pk>/allocations/", do.AllocatePayment.as_view(), name="finance-allocate-payment"),
    path("invoices/<int:pk>/refund/", collect.RefundInvoice.as_view(), name="finance-refund-invoice"),
    path("invoices/<int:pk>/write-off/", collect.WriteOffInvoice.as_view(), name="finance-write-off-invoice"),
    path("payments/<int:pk>/refund/", collect.RefundPayment.as_view(), name="finance-refund-payment"),
    path("payments/<int:pk>/reversal/", collect.ReversePayment.as_view(), name="finance-reverse-payment"),
    path("payments/<int:pk>/deallocation/", collect.DeallocatePayment.as_view(), name="finance-deallocate-payment"),
    path("bank-mappings/", of_bank.BankMappings.as_view(), name="finance-bank-mappings"),
    path("bank-statements/", of_bank.BankStatements.as_view(), name="finance-bank-statements"),
    path("bank-statements/<int:pk>/balance/", of_bank.StatementBalance.as_view(), name="finance-statement-balance"),
    path("bank-entries/", of_bank.BankEntryViewSet.as_view({"get": "list"}), name="finance-bank-entries"),
    path(
        "bank-entries/<int:pk>/", of_bank.BankEntryViewSet.as_view({"get": "retrieve"}), name="finance-bank-entry-row"
    ),
    path("bank-entries/<int:pk>/suggestions/", of_bank.EntrySuggestions.as_view(), name="finance-entry-suggestions"),
    path("bank-entries/<int:pk>/booking/", of_bank.BookEntry.as_view(), name="finance-book-entry"),
    path("bank-entries/<int:pk>/set-aside/", of_bank.SetEntryAside.as_view(), name="finance-set-entry-aside"),
    path("bank-entries/<int:pk>/undo/", of_bank.ReopenEntry.as_view(), name="finance-reopen-entry"),
    path("customers/<int:pk>/statement/", report.CustomerStatementReport.as_view(), name="finance-account-statement"),
    path("open-items/", report.OpenItems.as_view(), name="finance-open-items-report"),
    path("ageing/", report.Ageing.as_view(), name="finance-ageing-report"),
    path("trial-balance/", report.TrialBalance.as_view(), name="finance-trial-balance-report"),
    path("accounts/", read.AccountViewSet.as_view({"get": "list"}), name="finance-accounts"),
    path("journal-entries/", do.JournalEntries.as_view(), name="finance-journal-entries"),
    path("journal-entries/<int:pk>/reversal/", do.ReverseEntry.as_view(), name="finance-reverse-entry"),
]

staff_urlpatterns: list[URLPattern | URLResolver] = [
    path("finance/trial-balance/", balance_pages.trial_balance, name="finance-trial-balance"),
    path("finance/open-items/", collecting.open_items, name="finance-open-items"),
    path("finance/ageing/", collecting.ageing, name="finance-ageing"),
    path("finance/statement/<int:pk>/", collecting.statement, name="finance-statement"),
    path("finance/write-off/<int:pk>/", collecting.write_off, name="finance-write-off"),
    path("finance/deallocate/<int:pk>/", collecting.deallocate, name="finance-deallocate"),
    path("finance/bank/", bank.bank, name="finance-bank"),
    path("finance/bank/import/", bank.import_statement, name="finance-bank-import"),
    path("finance/bank/book-sure/", bank.book_sure, name="finance-bank-book-sure"),
    path("finance/bank/<int:pk>/", bank.bank_entry, name="finance-bank-entry"),
    path("finance/bank/<int:pk>/post/", bank.post, name="finance-bank-post"),
    path("finance/bank/<int:pk>/book/", bank.book, name="finance-bank-book"),
    path("finance/collective/", documents.collective, name="finance-collective"),
    path("finance/collective/customer/", documents.set_collective, name="finance-set-collective"),
    *book_urlpatterns,
    path("finance/entry/", pages.post_entry, name="finance-post-entry"),
    path("finance/payment/", pages.record_payment, name="finance-record-payment"),
    path("finance/invoice/<int:pk>/pdf/", documents.print_invoice, name="finance-print-invoice"),
    path("finance/take-off/<int:pk>/", documents.take_off, name="finance-take-off"),
    path("finance/correct/<int:pk>/", correcting.correct, name="finance-correct"),
    path("finance/credit/<int:pk>/", pages.credit_invoice, name="finance-credit"),
    path("finance/allocate/<int:pk>/", pages.allocate, name="finance-allocate"),
    path("finance/nav/", reports.reports, name="finance-nav-reports"),
    path("finance/taxpayer/", taxpayers.taxpayer, name="finance-nav-check"),
    path("finance/taxpayer/<int:pk>/", taxpayers.taxpayer, name="finance-nav-taxpayer"),
    path("finance/nav/try/", reports.try_now, name="finance-nav-try-now"),
    path("finance/nav/file/<int:pk>/<str:kind>/", reports.archived, name="finance-nav-file"),
    path("finance/nav/<int:pk>/repair/", reports.repair, name="finance-nav-repair"),
    path("finance/nav/<int:pk>/annul/", reports.annul, name="finance-nav-annul"),
    path("finance/do/<str:model>/<int:pk>/<str:name>/", buttons.operate, name="finance-operation"),
]

urlpatterns: list[URLPattern | URLResolver] = []
