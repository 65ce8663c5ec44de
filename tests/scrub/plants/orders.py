"""Check 10: sales orders and their one owner."""

from __future__ import annotations

from tests.scrub.plants.sql import Plants, swapped, twice

ORDERS: Plants = {
    "no owner": (
        ("delete from logistics.sales_order where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: handed over, but Logistics does not have it: no owner": "lost",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "two owners": (
        ("update storefront.sales_order set custody = 'own' where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Storefront's own, but Logistics has it too: two owners": "duplicated"},
    ),
    "never ordered": (
        ("delete from storefront.sales_order where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: in Logistics only: never ordered here": "rogue write"},
    ),
    "stale epoch": (
        ("update logistics.sales_order set epoch = epoch + 2 where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: handed over under another epoch than Logistics accepted": "reordered",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "one minor unit": (
        ("update logistics.sales_order set gross_total = gross_total + 0.01 where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has another customer, lines or amounts": "owner corrupt",
         "finance/sales_order {order[0]}": "*"},
    ),
    "another customer": (
        ("update storefront.sales_order set customer_id = {customer[0]} + {customer[1]} - customer_id "
         "where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has another customer, lines or amounts": "owner corrupt"},
    ),
    "line one minor unit off": (  # the total still says what was ordered
        ("update storefront.sales_order_line set gross = gross - 0.01 where order_id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has another customer, lines or amounts": "owner corrupt"},
    ),
    "lines with swapped products": (
        ("update storefront.sales_order_line set product_id = {product[0]} + {product[1]} - product_id "
         "where order_id in ({order[0]}, {order[1]})",),
        {f"storefront/sales_order {{order[{at}]}}: Logistics has another customer, lines or amounts": "owner corrupt"
         for at in (0, 1)},
    ),
    "duplicated line": (
        (twice("storefront.sales_order_line", "order_id = {order[0]}", "'line_no', 99"),),
        {"storefront/sales_order {order[0]}: Logistics has another customer, lines or amounts": "owner corrupt"},
    ),
    "lost line": (
        ("delete from storefront.sales_order_line where order_id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has another customer, lines or amounts": "owner corrupt"},
    ),
    "issued beyond shipment": (
        ("update logistics.sales_order_line set issued = issued + 1, reserved = reserved - 1 "
         "where order_id = {order[0]}",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "issued beyond allocation": (
        ("delete from logistics.reservation where order_id = {order[0]} and state = 'issued'",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt"},
    ),
    "shipped twice": (
        ("update logistics.shipment_line set quantity = quantity + 1 where shipment_id = {shipment[0]}",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt",
         "logistics/shipment {shipment_number[0]}: another order or other pieces on its invoice": "rogue write",
         "storefront/sales_order {order[0]}": "*"},
    ),
    "goods issue without invoice": (
        ("update finance.invoice set shipment_id = null where id = {invoice[0]}",
         "update logistics.shipment set issued_at = issued_at - interval '1 hour' where id = {shipment[0]}"),
        {"logistics/shipment {shipment_number[0]}: no invoice": "lost"},
    ),
    "invoice number not written back": (
        ("update logistics.shipment set invoice_number = '', issued_at = issued_at - interval '1 hour' "
         "where id = {shipment[0]}",),
        {"logistics/shipment {shipment_number[0]}: invoiced, but the number is not written back": "lost",
         "storefront/sales_order {order[0]}": "*"},
    ),
    "invoices with swapped shipments": (
        swapped("finance.invoice", "shipment_id", "true", "{shipment[0]}", "{shipment[1]}"),
        {"logistics/shipment {shipment_number[0]}: another order or other pieces on its invoice": "rogue write",
         "logistics/shipment {shipment_number[1]}: another order or other pieces on its invoice": "rogue write"},
    ),
    "invoice of what never left": (
        ("update finance.invoice set shipment_id = 999999 where id = {invoice[0]}",),
        {"logistics/shipment 999999: invoiced, but never issued here": "rogue write"},
    ),
}  # fmt: skip
