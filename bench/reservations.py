"""Reserving one hot product, and placing orders, against pgbench on the least SQL that could do it; the proofs."""

from __future__ import annotations

from typing import Any

from bench import proofs
from bench.harness import PgBench, Result, fresh_database, judge, median, percentile, pgbench, report, run_clients

ROUNDS = 3
CALLS = 200
ORDERS = 60  # carts of each client in a round
PLENTY = 10_000_000

SETUP = """
from decimal import Decimal
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.actor import SYSTEM
from erp.db import module_transaction
from finance import api as finance
from logistics import api
from storefront.models import ShippingMethod
finance.load_demo(SYSTEM)
with module_transaction('storefront'):
    ShippingMethod.objects.update_or_create(code='PICKUP', defaults={'name': 'Pick-up'})
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

# From the order button of a customer who is logged in to the order that Logistics has accepted; carts are made before.
CARTS = """
import uuid
from decimal import Decimal
from erp.actor import SYSTEM
from erp.db import module_transaction
from storefront.models import Cart, CartLine, CustomerCopy, ProductCopy
from storefront.services.cart import cart_terms, present_price
from storefront.services.checkout import Confirmation, order_key, place_from_cart
from storefront.services.visitors import Visitor
visitor = Visitor(None, CustomerCopy.objects.get(pk={customer}))
terms, products = cart_terms(visitor, 'HU'), ProductCopy.objects.filter(pk__in={products})
prices = [(product.pk, present_price(product, terms)) for product in products]
with module_transaction('storefront'):
    carts = Cart.objects.bulk_create([Cart(token=uuid.uuid4()) for _ in range({calls} + 10)])
    CartLine.objects.bulk_create(
        [CartLine(cart=cart, product_id=p, quantity=1, unit_price=price) for cart in carts for p, price in prices])
home = dict(name='Buyer', street='Main street 1', postcode='1011', city='Budapest', country='HU')
times = []
for n, cart in enumerate(carts):
    said = Confirmation(cart_version=cart.version, key=order_key(cart), email='b@example.com', phone='', ship_to=home,
                        bill_to=home, shipping_method='PICKUP', payment_method='transfer')
    began = time.perf_counter()
    outcome = place_from_cart(visitor, cart.pk, said, actor=SYSTEM)
    assert outcome.result == 'accepted', outcome
    if n >= 10:
        times.append((time.perf_counter() - began) * 1000)
print(json.dumps({{'ms': times}}))
"""

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


def rate(code: str, clients: int) -> tuple[float, list[float]]:
    """(calls per second of all clients together, latencies in ms)."""
    answers = run_clients(code, clients)
    lists: list[Any] = [answer["ms"] for answer in answers]
    return sum(1000 * len(ms) / sum(ms) for ms in lists), [v for ms in lists for v in ms]


def best(script: str, clients: tuple[int, ...] = (1, 2)) -> PgBench:
    """The best pgbench run of several numbers of clients: more waiters on one row make it slower."""
    return max((pgbench(script, "logistics", n) for n in clients), key=lambda run: run.tps)


def holds_per_second(product: int) -> float:
    """Holds of one hot product by 16 clients together."""
    body = HOLD.format(products=[product])
    bases = [1_000_000 + 10_000_000 * n for n in range(ROUNDS)]
    return median([rate(LOOP.format(calls=CALLS, body=body, base=base), 16)[0] for base in bases])


def orders(customer: int, products: list[int], clients: int) -> tuple[float, float]:
    """Orders from the cart to accepted: (per second of all clients together, p50 in ms)."""
    code = CARTS.format(customer=customer, products=products, calls=ORDERS)
    rounds = [rate(code, clients) for _ in range(ROUNDS)]
    return median([r for r, _ in rounds]), percentile([v for _, ms in rounds for v in ms], 0.5)


def measure() -> list[Result]:
    """All rows of this benchmark."""
    import django

    fresh_database()
    django.setup()
    made: Any = run_clients(SETUP % PLENTY, 1)[0]
    hot, customer = made["products"], made["customer"]
    results = []
    holds = holds_per_second(hot[0])
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
        one, p50[clients] = orders(customer, hot[4:5], clients)
        name = f"one-line order from cart to accepted, {clients} clients, vs pgbench"
        results.append(judge(name, one, limit, goal, unit="/s"))
    _, five = orders(customer, hot[5:10], 1)
    results.append(judge("five-line order vs one-line order, cart to accepted, p50", five, p50[1], "<= 2", unit="ms"))
    return results + proofs.measure()


if __name__ == "__main__":
    report(measure(), "reservations")
