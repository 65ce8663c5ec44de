"""Reserving one hot product, and placing orders, against pgbench on the least SQL that could do it."""

from __future__ import annotations

from typing import Any

from bench.harness import PgBench, Result, fresh_database, judge, median, percentile, pgbench, report, run_clients

ROUNDS = 3
CALLS = 200
PLENTY = 10_000_000

SETUP = """
from decimal import Decimal
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.actor import SYSTEM
from finance import api as finance
from logistics import api
finance.load_demo(SYSTEM)
buyer = CustomerSerializer.bulk_save([{'external_ref': 'b:1', 'name': 'Buyer'}])[0]['id']
rows = [{'sku': f'HOT-{n}', 'name': f'Hot {n}', 'base_price': Decimal(100)} for n in range(25)]
products = [row['id'] for row in ProductSerializer.bulk_save(rows)]
api.save_warehouse({'code': 'MAIN', 'name': 'Main'})
goods = [{'product_id': p, 'quantity': %d, 'unit_cost': Decimal(1)} for p in products]
api.receive_goods(goods, actor=SYSTEM, key=None)
print(json.dumps({'customer': buyer, 'products': products}))
"""

LOOP = """
from decimal import Decimal
from logistics import api
def lines(products):
    return [{{'line_no': n, 'product_id': p, 'sku': 'S', 'name': 'n', 'quantity': 1, 'unit_price': Decimal(100),
              'vat_code': '27', 'vat_rate': Decimal(27)}} for n, p in enumerate(products, start=1)]
times, base = [], {base} + client * 100000
for n in range({calls} + 20):
    key = base + n
    began = time.perf_counter()
    {body}
    if n >= 20:
        times.append((time.perf_counter() - began) * 1000)
print(json.dumps({{'ms': times}}))
"""

HOLD = "assert api.hold_stock(f'cart-{{key}}', lines({products}), 600)['outcome'] == 'held'"
ORDER = (
    "assert api.accept_order({{'order_id': key, 'epoch': 1, 'number': f'SO-{{key}}', 'customer_id': {customer}, "
    "'currency': 'HUF', 'lines': lines({products})}})['outcome'] == 'accepted'"
)

LEAST_HOLD = """
with u as (update stock set reserved = reserved + 1, version = version + 1
           where product_id = {product} and on_hand - reserved >= 1 returning id)
insert into reservation (stock_id, product_id, quantity, state, owner_key, line_no, expires_at)
select u.id, {product}, 1, 'held', 'cart', 1, now() + interval '10 minutes' from u;
"""

LEAST_ORDER = """
with u as (update stock set reserved = reserved + 1, version = version + 1
           where product_id = {product} and on_hand - reserved >= 1 returning id),
o as (insert into sales_order (id, number, epoch, lifecycle, fulfilment, invoicing, payment, customer_id, customer_name,
        currency, price_mode, country, ship_to, bill_to, shipping_method, payment_method, ordered_on, net_total,
        vat_total, gross_total, channel, note)
      select g.id, 'B-' || g.id, 2, 'open', 'allocated', 'none', 'open', {customer}, '', 'HUF', 'net', 'HU', '{{}}',
        '{{}}', '', '', current_date, 0, 0, 0, 'web', ''
      from u, (select nextval('stock_document_number') + {base} as id) g
      returning id)
insert into sales_order_line (order_id, line_no, product_id, sku, name, quantity, unit_price, discount, vat_code,
  vat_rate, net, vat, gross, is_stocked, reserved, issued, returned, cancelled)
select o.id, 1, {product}, 'S', 'n', 1, 100, 0, '27', 27, 100, 27, 127, true, 1, 0, 0, 0 from o;
"""


def same_sql(product: int) -> str:
    """The statements of one hold as the service runs them, for pgbench."""
    import psycopg
    from psycopg import ClientCursor

    from erp.environment import load_environment
    from logistics.serializers.reserving import _RESERVE

    target = load_environment().login("logistics")
    values = {
        "line_nos": [1], "products": [product], "quantities": [1], "state": "held", "owner_key": "OWNER",
        "order_id": None, "expires_at": "2100-01-01T00:00:00Z", "partial": False, "actor_id": None,
        "actor_name": "bench", "request_id": "r",
    }  # fmt: skip
    with psycopg.connect(**target.conninfo()) as connection:
        text = ClientCursor(connection).mogrify(_RESERVE, values)
    one_line = text.replace("'OWNER'", "('cart-' || :owner)").replace("\n", " ")
    return f"\\set owner random(1, 1000000000)\nbegin;\n{one_line};\ncommit;\n"


def rate(body: str, clients: int, base: int) -> tuple[float, list[float]]:
    """(calls per second of all clients together, latencies in ms)."""
    answers = run_clients(LOOP.format(calls=CALLS, body=body, base=base), clients)
    lists: list[Any] = [answer["ms"] for answer in answers]
    return sum(1000 * len(ms) / sum(ms) for ms in lists), [v for ms in lists for v in ms]


def best(script: str, clients: tuple[int, ...] = (1, 2)) -> PgBench:
    """The best pgbench run of several numbers of clients: more waiters on one row make it slower."""
    return max((pgbench(script, "logistics", n) for n in clients), key=lambda run: run.tps)


def measure() -> list[Result]:
    """All rows of this benchmark."""
    import django

    fresh_database()
    django.setup()
    made: Any = run_clients(SETUP % PLENTY, 1)[0]
    hot, customer = made["products"], made["customer"]
    base, results = 1_000_000, []

    def run(body: str, clients: int) -> tuple[float, list[float]]:
        nonlocal base
        rounds = []
        for _ in range(ROUNDS):
            base += 10_000_000
            rounds.append(rate(body, clients, base))
        return median([r for r, _ in rounds]), [v for _, ms in rounds for v in ms]

    holds, _ = run(HOLD.format(products=hot[:1]), 16)
    for what, script, goal in (
        ("same SQL", same_sql(hot[1]), ">= 0.4"),
        ("least SQL", LEAST_HOLD.format(product=hot[2]), ">= 0.1"),
    ):
        name = f"hold one hot product, 16 clients, vs pgbench {what}"
        results.append(judge(name, holds, best(script).tps, goal, unit="/s"))
    p50 = {}
    for clients, goal in ((1, ">= 0.08"), (8, ">= 0.12")):
        least = LEAST_ORDER.format(product=hot[3], customer=customer, base=900_000_000_000 + clients)
        limit = pgbench(least, "logistics", clients).tps
        one, ms = run(ORDER.format(customer=customer, products=hot[4:5]), clients)
        p50[clients] = percentile(ms, 0.5)
        results.append(judge(f"accept one-line order, {clients} clients, vs pgbench", one, limit, goal, unit="/s"))
    _, five = run(ORDER.format(customer=customer, products=hot[5:10]), 1)
    results.append(
        judge("accept five-line order vs one-line order, p50", percentile(five, 0.5), p50[1], "<= 2", unit="ms")
    )
    return results


if __name__ == "__main__":
    report(measure(), "reservations")
