"""Telling shoppers what happened to their orders elsewhere: shipments and invoices, from Storefront's own copies.

Every document is told of once: a row in ``mailed_document`` and the relay item are written in one transaction.
"""

from __future__ import annotations

from erp.db import cursor, module_transaction
from erp.relay import enqueue
from storefront.services.order_invoices import DOCUMENTS

LOOK_BACK_DAYS = 3  # what is older was told long ago, or comes from a history

# A document of one order goes to the order's address, a collective one to the customer's.
_INVOICES = f"""
select distinct i.number, i.id from {DOCUMENTS} i join sales_order o on o.id = i.order_id
left join customer_copy c on c.id = i.customer_id
where i.issued_on >= current_date - %s and o.channel = 'web'
  and case when i.own_order_id is null then coalesce(c.email, '') else o.email end <> ''
  and not exists (select 1 from mailed_document m where m.kind = 'invoice' and m.number = i.number)
order by i.id limit %s"""

_SHIPMENTS = """
select s ->> 'number', c.id from sales_order_copy c join sales_order o on o.id = c.id,
  jsonb_array_elements(c.shipments) s
where c.tick >= coalesce((select min(t.tick) from copy_tick t where t.entity = 'sales_order'
                          and t.applied_at >= now() - make_interval(days => %s)), 0)
  and o.channel = 'web' and o.email <> '' and s ->> 'state' in ('issued', 'delivered')
  and not exists (select 1 from mailed_document m where m.kind = 'shipment' and m.number = s ->> 'number')
order by c.id limit %s"""


def tell_shoppers(limit: int = 200) -> int:
    """Hand the e-mails of new invoices and shipments to the relay; returns how many. Idempotent."""
    return _tell("invoice", _INVOICES, limit) + _tell("shipment", _SHIPMENTS, limit)


def _tell(kind: str, statement: str, limit: int) -> int:
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute(statement, [LOOK_BACK_DAYS, limit])
        found = cur.fetchall()
        told = 0
        for number, key in found:
            cur.execute(
                "insert into mailed_document (kind, number) values (%s, %s) on conflict do nothing", [kind, number]
            )
            if cur.rowcount:
                enqueue("storefront", f"mail_{kind}", number, {"number": number, "id": key})
                told += 1
    return told
