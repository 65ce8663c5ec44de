"""Check 9: VAT in ledger, documents and reports."""

from __future__ import annotations

from tests.scrub.plants.sql import Plants, reported, twice

VAT: Plants = {
    "one minor unit": (
        ("update finance.journal_line set amount = amount - 0.01 where account = '467' and entry_id = {entry}",),
        {"VAT code 27": "owner corrupt"},
    ),
    "moved to another code": (
        ("update finance.journal_line set vat_code = '18' where account = '467' and entry_id = {entry}",),
        {"VAT code 18": "owner corrupt", "VAT code 27": "owner corrupt"},
    ),
    "lost posting": (
        ("delete from finance.journal_line where account = '467' and entry_id = {entry}",),
        {"VAT code 27": "owner corrupt"},
    ),
    "duplicated posting": (
        (twice("finance.journal_line", "account = '467' and entry_id = {entry}", "'line_no', 99"),),
        {"VAT code 27": "owner corrupt"},
    ),
    "lost report": (
        ("delete from finance.nav_submission where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
    "report that waits for more than 24 hours": (
        ("update finance.nav_submission set due_at = now() - interval '1 second' where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
    "reported one minor unit off": (
        ("update finance.nav_submission set state = 'done', done_at = now(), "
         "reported = jsonb_build_array(jsonb_build_object("
         "'element', 'vatPercentage', 'value', '0.27', 'vat', 540.01)) where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "document that is not its lines": (
        ("update finance.invoice_line set net = net + 0.01, gross = gross + 0.01 where invoice_id = {invoice[0]}",),
        {"finance/invoice {number[0]}": "owner corrupt"},
    ),
    "posted without its code": (
        ("update finance.journal_line set vat_code = '' where account = '467' and entry_id = {entry}",),
        {"VAT code none": "owner corrupt", "VAT code 27": "owner corrupt",
         "finance/journal_entry {entry}, account 467, VAT code none": "owner corrupt"},
    ),
    "posting that no document stands behind": (
        ("update finance.journal_line set account = '467' where account = '384'",),
        {"VAT code none": "owner corrupt",
         "finance/journal_entry {deposit}, account 467, VAT code none": "owner corrupt"},
    ),
    "reported twice": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = "
         + reported("540") + " || " + reported("540") + " where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "swapped reports": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = "
         + reported("case invoice_id when {invoice[0]} then 270 else 540 end")
         + " where invoice_id in ({invoice[0]}, {invoice[1]})",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt",
         "NAV report of {number[1]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "report of no document": (
        (twice("finance.nav_submission", "invoice_id = {invoice[0]}", "'invoice_id', 999999", "'number', 'GONE-1'",
               "'state', 'done'", "'done_at', now()", "'reported', " + reported("540")),),
        {"NAV report of GONE-1, vatPercentage 0.27": "rogue write"},
    ),
    "report of no document, without amounts": (
        (twice("finance.nav_submission", "invoice_id = {invoice[0]}", "'invoice_id', 999999", "'number', 'GONE-1'",
               "'state', 'done'", "'done_at', now()"),),
        {"NAV report of GONE-1, no amount": "rogue write"},
    ),
    "draft with a report": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = " + reported("540")
         + " where invoice_id = {invoice[0]}",
         "update finance.invoice set state = 'draft', sequence_no = null where id = {invoice[0]}"),
        {"VAT code 27": "owner corrupt", "NAV report of {number[0]}, vatPercentage 0.27": "rogue write"},
    ),
    "report annulled and not sent again": (
        ("update finance.nav_submission set state = 'annulled', reported = '[]', due_at = now() - interval '1 second' "
         "where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
}  # fmt: skip
