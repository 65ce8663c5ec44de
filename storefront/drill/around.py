"""What goes on behind the shop meanwhile, through the owners' own services: goods come in, products are edited."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from django.db import connections

from admin_app import api as admin
from erp.actor import Actor
from erp.db import cursor
from erp.errors import ErpError
from logistics import api as logistics
from storefront.drill.measure import Log
from storefront.models import ProductCopy

STAFF = Actor(None, "Black Friday drill")
HOT_PIECES = 5  # what comes in of a hot product at a time: always less than is wanted
RECEIVE_EVERY_S, EDIT_EVERY_S = 1.0, 0.5
_SKUS = tuple(f"BLACK-FRIDAY-{n}" for n in (1, 2, 3))


def hot_products() -> list[int]:
    """The drill's own hot products with a few pieces each; made on the first drill, sold again on later ones."""
    rows = [
        {
            "sku": sku, "name": f"Black Friday {n}", "base_price": Decimal(1000), "vat_code": "27",
            "category": "Kitchen", "description": "A bargain of the drill.", "is_sellable": True,
        }
        for n, sku in enumerate(_SKUS, 1)
    ]  # fmt: skip
    products = [int(row["id"]) for row in admin.save_products(rows, actor=STAFF)]
    receive(products, HOT_PIECES)
    return products


def receive(products: list[int], pieces: int) -> None:
    """Goods come in."""
    rows = [{"product_id": p, "quantity": pieces, "unit_cost": Decimal(500)} for p in products]
    logistics.receive_goods(rows, actor=STAFF, key=None)


def deadlocks() -> int:
    """Deadlocks that PostgreSQL has counted in this database."""
    with cursor("storefront") as cur:
        cur.execute("select deadlocks from pg_stat_database where datname = current_database()")
        return int(cur.fetchone()[0])


class Surroundings:
    """Two threads of staff; ``received`` is what came in, by product."""

    def __init__(self, hot: list[int], log: Log, *, seed: int) -> None:
        self._hot, self._log = hot, log
        self._random = random.Random(seed)
        self.received: Counter[int] = Counter()
        self.edits = 0
        self._edited: dict[str, dict[str, str]] = {}
        plenty = ProductCopy.objects.filter(retired_at=None, is_sellable=True, is_stocked=True).exclude(pk__in=hot)
        self._plenty = list(plenty.values_list("pk", "sku", "name", "description")[:200])

    def threads(self, stopping: threading.Event) -> list[threading.Thread]:
        """Not started yet."""
        jobs = ((self._receive, RECEIVE_EVERY_S), (self._edit, EDIT_EVERY_S))
        return [threading.Thread(target=self._repeat, args=(job, every_s, stopping)) for job, every_s in jobs]

    def _repeat(self, job: Callable[[], None], every_s: float, stopping: threading.Event) -> None:
        while not stopping.wait(every_s):
            try:
                job()
            except ErpError as error:  # busy under load: said to staff, who try again
                self._log.failure(f"staff: {type(error).__name__}")
        connections.close_all()

    def _receive(self) -> None:
        some = [row[0] for row in self._random.sample(self._plenty, min(5, len(self._plenty)))]
        receive(self._hot, HOT_PIECES)
        receive(some, 20)
        self.received.update(dict.fromkeys(self._hot, HOT_PIECES))
        self.received.update(dict.fromkeys(some, 20))

    def _edit(self) -> None:
        if not self._plenty:
            return
        _, sku, name, description = self._random.choice(self._plenty)
        self._edited[sku] = {"sku": sku, "name": name, "description": description}
        admin.save_products([{**self._edited[sku], "description": f"{description} ({self.edits})"}], actor=STAFF)
        self.edits += 1

    def put_back(self) -> None:
        """Give every edited product its own description again, and take the drill's products off the shelf."""
        if self._edited:
            admin.save_products(list(self._edited.values()), actor=STAFF)
        hot = [{"sku": sku, "name": f"Black Friday {n}", "is_sellable": False} for n, sku in enumerate(_SKUS, 1)]
        admin.save_products(hot, actor=STAFF)
