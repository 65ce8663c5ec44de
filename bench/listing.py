"""The shop's list page with 100,000 products against the same with 1,000: whole pages, as a visitor gets them."""

from __future__ import annotations

import os
import random
from typing import Any

import psycopg

from bench import environment
from bench.harness import Result, fresh_database, judge, percentile, report, run_clients, tell

SMALL, LARGE = 1_000, 100_000
ROUNDS = 4  # of every page, per turn
TURNS = 4  # the two catalogues take turns, so that whatever else the machine does hits both

COLOURS = "red blue green white black ivory pink silver golden amber violet grey".split()
KINDS = "vintage rustic painted folded hanging woven enamelled ceramic wooden crystal floral striped".split()
THINGS = (
    "mug teapot lantern candle cushion towel basket kettle bowl saucer napkin apron wreath bunting clock mirror "
    "cabinet hanger doormat puzzle notebook ribbon garland bracelet"
).split()
PLACES = "garden kitchen cottage harbour meadow forest market village orchard island river mountain".split()
TOPS = "Kitchen Home Garden Office Toys Textiles Light Gifts".split()

PAGES = {
    "newest": "/",
    "by name": "/?sort=name",
    "by price": "/?sort=price",
    "by price, down": "/?sort=-price",
    "category": "/?category=Home",
    "category by price": "/?category=Kitchen/Mug&sort=price",
    "price range": "/?price_min=2000&price_max=2100&sort=price",
    "in stock": "/?in_stock=on",
    "common word": "/?q=mug",
    "three words": "/?q=blue+wooden+clock",
    "words by price": "/?q=lantern&sort=price",
    "with a typo": "/?q=latnern+meadwo",
}

LOOP = """
from django.test import Client
from storefront.services.word_index import index_words
import re
index_words()
client_ = Client()
times = {{}}
def get(url):
    began = time.perf_counter()
    response = client_.get(url)
    took = (time.perf_counter() - began) * 1000
    assert response.status_code == 200, url
    return response, took
for name, url in {pages!r}.items():
    get(url)
    times[name] = [get(url)[1] for _ in range({rounds})]
    at = url
    for _ in range(8):  # pages that follow
        found = re.search(r'rel="next" href="([^"]+)"', get(at)[0].content.decode())
        if not found:
            break
        at = found.group(1).replace('&amp;', '&')
    times[name] += [get(at)[1] for _ in range({rounds})]
print(json.dumps(times))
"""


def rows(products: int) -> list[tuple[Any, ...]]:
    """Products with names of a few hundred words, in 192 categories, at prices that repeat."""
    chance = random.Random(7)  # noqa: S311  the same assortment in every run
    made = []
    for n in range(1, products + 1):
        thing = chance.choice(THINGS)
        words = [chance.choice(COLOURS), chance.choice(KINDS), thing, "of the", chance.choice(PLACES)]
        made.append(
            (
                n, 1, f"L-{n:06d}", " ".join(words).capitalize(), f"A {chance.choice(KINDS)} {thing}, number {n}.",
                chance.choice(("27", "27", "27", "18", "5")), chance.randrange(300, 40_000),
                f"{chance.choice(TOPS)}/{thing.capitalize()}",
            )
        )  # fmt: skip
    return made


def fill(database: str, products: int) -> None:
    """Give Storefront the copies of that many products with stock; seven of ten are in stock."""
    from erp.environment import load_environment

    target = load_environment().login("postgres")
    with psycopg.connect(**{**target.conninfo(), "dbname": database}, autocommit=True) as server:
        server.execute("set search_path = storefront")
        columns = "id, version, sku, name, description, vat_code, base_price, category"
        with server.cursor().copy(f"copy product_copy ({columns}) from stdin") as copy:
            for row in rows(products):
                copy.write_row(row)
        server.execute("update product_copy set currency = 'HUF'")
        server.execute(
            "insert into stock_copy (id, version, warehouse_id, product_id, on_hand, reserved) "
            "select id, 1, 1, id, case when id % 10 < 7 then 20 else 0 end, 0 from product_copy"
        )
        server.execute("vacuum analyze product_copy")
        server.execute("vacuum analyze stock_copy")


def make(products: int) -> str:
    """A database with that many products; returns its name."""
    database = fresh_database(f"erp_bench_listing_{products}")
    run_clients(
        "from finance import api\nfrom erp.actor import SYSTEM\napi.set_up_books(SYSTEM)\nprint(json.dumps({}))", 1
    )
    fill(database, products)
    return database


def times_of(database: str) -> dict[str, list[float]]:
    """Milliseconds of every kind of list page, first pages and pages further on."""
    os.environ["ERP_DATABASE_NAME"] = database
    copies = "from erp.replication.pull import run_copy\nrun_copy('stock', 'logistics', 'storefront')\n"
    loop = LOOP.format(pages=PAGES, rounds=ROUNDS)
    answer: dict[str, Any] = run_clients(copies + loop, 1)[0]
    return answer


def measure() -> list[Result]:
    """All rows of this benchmark."""
    small: dict[str, list[float]] = {name: [] for name in PAGES}
    large: dict[str, list[float]] = {name: [] for name in PAGES}
    databases = make(SMALL), make(LARGE)
    for _ in range(TURNS):
        for database, kept in zip(databases, (small, large), strict=True):
            for name, times in times_of(database).items():
                kept[name] += times
    everything = [[ms for times in found.values() for ms in times] for found in (large, small)]
    results = [
        judge(
            "list page p95, 100,000 vs 1,000 products", *(percentile(ms, 0.95) for ms in everything), "<= 3", unit="ms"
        ),
        tell("list page p50, 100,000 vs 1,000", *(percentile(ms, 0.5) for ms in everything), unit="ms"),
    ]
    results += [
        tell(f"p95, {name}", percentile(large[name], 0.95), percentile(small[name], 0.95), unit="ms") for name in PAGES
    ]
    # The fastest of many is what a page costs by itself, whatever else the machine did meanwhile.
    fastest = [sum(min(found[name]) for name in PAGES) for found in (large, small)]
    results.append(judge("all pages, the fastest of each", *fastest, "<= 3", unit="ms"))
    results += [tell(f"fastest, {name}", min(large[name]), min(small[name]), unit="ms") for name in PAGES]
    return results


if __name__ == "__main__":
    assert environment.PROJECT_DIR
    report(measure(), "listing")
