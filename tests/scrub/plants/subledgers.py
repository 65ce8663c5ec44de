"""Check 11: open items, stock value, payments, numbers."""

from __future__ import annotations

from tests.scrub.plants.sql import Plants, twice

SUBLEDGERS: Plants = {
    "receivable one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where id = {line[0]}",),
        {"receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "receivables with swapped customers": (
        ("update finance.journal_line set customer_id = {customer[1]} where id = {line[0]}",),
        {"receivables of customer {customer[0]}": "owner corrupt",
         "receivables of customer {customer[1]}": "owner corrupt"},
    ),
    "deposit one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where account = '4795'",),
        {"deposit of customer {customer[0]}": "owner corrupt"},
    ),
    "clearing account one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where account = '3682'",),
        {"payments on account 3682": "owner corrupt"},
    ),
    "lost posting of a payment": (
        ("delete from finance.journal_line where account = '384'",), {"payments on account 384": "owner corrupt"},
    ),
    "stock value one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 "
         "where account = '261' and product_id = {product[0]} and amount > 0",),
        {"inventory of product {product[0]}": "owner corrupt"},
    ),
    "lost valued move": (
        ("delete from finance.valued_move where product_id = {product[0]} and move_seq = 1",),
        {"cost of product {product[0]}": "owner corrupt", "goods received of product {product[0]}": "owner corrupt"},
    ),
    "paid beyond the document": (
        ("update finance.invoice_settlement set paid_total = gross_total + 1 where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt", "receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "credited one minor unit off": (
        ("update finance.invoice_settlement set credited_total = credited_total + 0.01 "
         "where invoice_id = {invoice[1]}",),
        {"credited of {number[1]}": "owner corrupt"},
    ),
    "credits forgotten everywhere": (
        ("update finance.invoice_settlement set credited_total = 0",), {"credited of {number[1]}": "owner corrupt"},
    ),
    "credited without a credit note": (
        ("update finance.invoice_settlement set credited_total = 1 where invoice_id = {invoice[0]}",),
        {"credited of {number[0]}": "owner corrupt"},
    ),
    "settlement of another total": (
        ("update finance.invoice_settlement set gross_total = gross_total + 0.01 where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt"},
    ),
    "state that the totals do not say": (
        ("update finance.invoice_settlement set state = 'paid' where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt"},
    ),
    "lost settlement": (
        ("delete from finance.invoice_settlement where invoice_id = {invoice[0]}",),
        {"settlement row of {number[0]}": "lost", "receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "settlement of no document": (
        (twice("finance.invoice_settlement", "invoice_id = {invoice[0]}", "'invoice_id', 999999").replace(
            "'id', 999999, ", ""),),
        {"settlement row of 999999": "rogue write"},
    ),
    "receipt posted one minor unit off": (
        ("update finance.journal_line set amount = amount - 0.01 where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "lost posting of goods received": (
        ("delete from finance.journal_line where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods received posted twice": (
        (twice("finance.journal_line", "account = '456' and product_id = {product[0]}", "'line_no', 99"),),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods received of swapped products": (
        ("update finance.journal_line set product_id = {product[0]} + {product[2]} - product_id "
         "where account = '456' and product_id in ({product[0]}, {product[2]})",),
        {"goods received of product {product[0]}": "owner corrupt",
         "goods received of product {product[2]}": "owner corrupt"},
    ),
    "receipt on another account": (
        ("update finance.journal_line set account = '491' where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods issue on the account of receipts": (
        ("update finance.journal_line set account = '456' where account = '814' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "credited beyond the line": (
        ("update finance.invoice_line set quantity = -9 where original_line_id is not null",),
        {"finance/invoice {number[1]} line 1": "owner corrupt"},
    ),
    "lost allocation": (
        ("delete from finance.payment_allocation where payment_id is not null and invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt", "payment PAY-{year}-000001": "owner corrupt",
         "PAY-{year}-000001 allocated to {number[0]}": "owner corrupt"},
    ),
    "gap in a series": (
        ("update finance.number_series set last_no = last_no + 1 where code = 'INV'",), {"series INV {year}": "lost"},
    ),
    "number given twice": (
        ("update finance.number_series set last_no = last_no - 1 where code = 'INV'",),
        {"series INV {year}": "rogue write"},
    ),
    "duplicated payment": (
        (twice("finance.payment", "number = 'PAY-{year}-000001'", "'number', 'PAY-X'"),),
        {"payments on account 3682": "owner corrupt", "payment PAY-X": "owner corrupt"},
    ),
    "payment that was never received": (
        (twice("finance.payment", "number = 'PAY-{year}-000002'", "'number', 'PAY-X'"),),
        {"payments on account 384": "owner corrupt", "deposit of customer {customer[0]}": "owner corrupt"},
    ),
    "allocation to another document": (
        ("update finance.payment_allocation set invoice_id = {invoice[1]} "
         "where payment_id is not null and invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt", "settlement of {number[1]}": "owner corrupt",
         "PAY-{year}-000001 allocated to {number[0]}": "owner corrupt",
         "PAY-{year}-000001 allocated to {number[1]}": "owner corrupt"},
    ),
    "allocations of two payments that changed places": (  # of equal amounts, so that every sum holds
        ("update finance.payment_allocation set invoice_id = {invoice[0]} + {invoice[1]} - invoice_id "
         "where payment_id is not null",),
        {f"PAY-{{year}}-00000{payment} allocated to {{number[{at}]}}": "owner corrupt"
         for payment in (1, 3) for at in (0, 1)},
    ),
    "allocation one minor unit off": (
        ("update finance.payment_allocation set amount = amount + 0.01 "
         "where payment_id is not null and invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt", "payment PAY-{year}-000001": "owner corrupt",
         "PAY-{year}-000001 allocated to {number[0]}": "owner corrupt"},
    ),
    "duplicated allocation": (
        (twice("finance.payment_allocation", "payment_id is not null and invoice_id = {invoice[0]}"),),
        {"settlement of {number[0]}": "owner corrupt", "payment PAY-{year}-000001": "owner corrupt",
         "PAY-{year}-000001 allocated to {number[0]}": "owner corrupt"},
    ),
    "duplicated valued move": (
        (twice("finance.valued_move", "product_id = {product[0]} and move_seq = 1", "'move_id', 999999",
               "'move_seq', 99"),),
        {"cost of product {product[0]}": "owner corrupt", "goods received of product {product[0]}": "owner corrupt"},
    ),
    "advance that is not posted": (
        ("update finance.invoice_line set product_class = 'advance' where invoice_id = {invoice[0]}",),
        {"advances of customer {customer[0]}": "owner corrupt"},
    ),
    "voucher that is not posted": (
        ("update finance.invoice_line set product_class = 'voucher' where invoice_id = {invoice[0]}",),
        {"vouchers of customer {customer[0]}": "owner corrupt"},
    ),
    "advance used twice": (
        ("update finance.invoice_line set product_class = case invoice_id when {invoice[0]} then 'advance' "
         "else product_class end, net = case invoice_id when {invoice[0]} then net else -4000 end, "
         "advance_invoice_id = case invoice_id when {invoice[0]} then null else {invoice[0]} end "
         "where invoice_id in ({invoice[0]}, {invoice[1]})",),
        {"advance {number[0]}": "owner corrupt", "advances of customer {customer[0]}": "owner corrupt"},
    ),
}  # fmt: skip
