"""Demo shop: categories, ways of delivery, shop log-ins, and orders in different states to look at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model

from erp.actor import Actor
from erp.db import module_transaction
from erp.demo import SHOPPERS
from erp.ownership import PLATFORM
from erp.relay import run_relay
from erp.replication.pull import run_copy
from finance import api as finance
from logistics import api as logistics
from storefront.models import Category, CustomerCopy, InvoiceCopy, ProductCopy, SalesOrder, ShippingMethod
from storefront.services import accounts, integration

_CATEGORIES = (
    ("Kitchen", "Kitchen", "Konyha"),
    ("Kitchen/Mugs", "Mugs and cups", "Bögrék és csészék"),
    ("Kitchen/Tea", "Tea", "Tea"),
    ("Kitchen/Cookware", "Cookware", "Edények"),
    ("Pantry", "Pantry", "Kamra"),
    ("Pantry/Spices", "Spices", "Fűszerek"),
    ("Pantry/Honey", "Honey", "Méz"),
    ("Pantry/Jam", "Jam", "Lekvár"),
    ("Home", "Home", "Otthon"),
    ("Home/Textiles", "Textiles", "Textíliák"),
    ("Home/Light", "Light", "Fény"),
    ("Home/Storage", "Storage", "Tárolás"),
    ("Garden", "Garden", "Kert"),
)

# code, name, Hungarian name, SKU of what is charged, free from, countries
_DELIVERY = (
    ("HOME", "Home delivery", "Házhoz szállítás", "SHIP-HOME", "25000", ""),
    ("POINT", "Parcel point", "Csomagpont", "SHIP-POINT", "25000", "HU"),
    ("PICKUP", "Pick up in our shop", "Átvétel az üzletben", "", None, "HU"),
)

# key, e-mail of the customer, delivery, lines, what happens then
_ORDERS: tuple[tuple[str, str, str, tuple[tuple[str, int], ...], tuple[str, ...]], ...] = (
    ("1", "anna.kiss@example.com", "HOME", (("MUG-BLUE", 2), ("TEA-LINDEN", 1)), ("ship", "pay")),
    ("2", "anna.kiss@example.com", "POINT", (("PAN-26", 1), ("HONEY-ACACIA", 3)), ("ship first line",)),
    ("3", "anna.kiss@example.com", "PICKUP", (("CANDLE-BEES", 2),), ()),
    ("4", "bela.nagy@example.com", "HOME", (("KNIFE-CHEF", 1), ("TOWEL-LINEN", 4)), ("ship", "return first piece")),
    ("5", "bela.nagy@example.com", "POINT", (("LAMP-OIL", 1),), ("cancel",)),
    ("6", "rendeles@kavehaz.example.com", "HOME", (("MUG-STONE", 12), ("CUP-ESP-2", 6), ("TEA-POT", 3)), ("ship",)),
    ("7", "csilla@example.com", "HOME", (("CUSHION-MATYO", 1), ("CLOTH-TABLE", 1)), ()),
)  # fmt: skip


def load_demo(actor: Actor) -> dict[str, int]:
    """Create what is missing of the demo shop; needs the demo of the other modules. A repeat adds nothing.

    Returns ``{"categories", "shipping methods", "shop accounts", "orders"}``, the number of each that is new.
    """
    run_relay("logistics")  # the opening stock must be valued before any of it is invoiced
    made = {
        "categories": _make_categories(),
        "shipping methods": _make_shipping_methods(),
        "shop accounts": _make_accounts(),
        "orders": sum(_make_order(order, actor) for order in _ORDERS),
    }
    if made["orders"]:  # so that the pages do not start with copies that were never filled
        run_copy("sales_order", "logistics", "storefront")
    run_copy("stock", "logistics", "storefront")
    return made


def _make_categories() -> int:
    with module_transaction("storefront"):
        return sum(
            Category.objects.get_or_create(path=path, defaults={"name": name, "name_hu": hu, "position": n})[1]
            for n, (path, name, hu) in enumerate(_CATEGORIES)
        )


def _make_shipping_methods() -> int:
    products = dict(ProductCopy.objects.filter(product_class="shipping").values_list("sku", "id"))
    made = 0
    with module_transaction("storefront"):
        for n, (code, name, hu, sku, free_from, countries) in enumerate(_DELIVERY):
            values = {
                "name": name, "name_hu": hu, "product_id": products.get(sku), "countries": countries, "position": n,
                "free_from": Decimal(free_from) if free_from else None,
            }  # fmt: skip
            made += ShippingMethod.objects.get_or_create(code=code, defaults=values)[1]
    return made


def _make_accounts() -> int:
    users = get_user_model().objects
    made = 0
    for email, password in SHOPPERS.items():
        customer = accounts.find_customer(email)
        if customer is None or users.filter(username=email).exists():
            continue
        with module_transaction(PLATFORM):
            user = users.create_user(username=email, email=email, password=password, first_name=customer.name[:150])
        accounts.link_account(user.pk, customer.pk, email)
        made += 1
    return made


def _make_order(order: tuple[str, str, str, tuple[tuple[str, int], ...], tuple[str, ...]], actor: Actor) -> bool:
    key, email, delivery, wanted, steps = order
    customer = CustomerCopy.objects.filter(email=email).first()
    if customer is None or SalesOrder.objects.filter(external_ref=f"demo:{key}").exists():
        return False
    lines: list[dict[str, Any]] = [{"sku": sku, "quantity": quantity} for sku, quantity in wanted]
    method = ShippingMethod.objects.get(code=delivery)
    if method.product_id:
        lines.append({"product_id": method.product_id, "quantity": 1, "name": method.name})
    body = {
        "customer_id": customer.pk, "lines": lines, "price_mode": "net" if customer.is_company else "gross",
        "shipping_method": delivery, "payment_method": "transfer", "external_ref": f"demo:{key}",
    }  # fmt: skip
    placed = integration.place_order(body, actor=actor, idempotency_key=f"demo order {key}")
    for step in steps:
        _step(step, placed["order_id"], f"demo order {key}: {step}", actor)
    return True


def _step(step: str, order_id: int, key: str, actor: Actor) -> None:
    if step == "ship":
        logistics.ship(order_id, None, actor=actor, key=key)
    elif step == "ship first line":
        logistics.ship(order_id, [{"line_no": 1, "quantity": 1}], actor=actor, key=key)
    elif step == "return first piece":
        lines = [{"line_no": 1, "quantity": 1}]
        logistics.receive_return(order_id, lines, actor=actor, key=key, reason="Wrong size")
    elif step == "cancel":
        logistics.cancel_order(order_id, actor=actor, reason="Cancelled by the customer")
    elif step == "pay":
        for invoice in InvoiceCopy.objects.filter(order_id=order_id, kind="invoice"):
            data = {"invoice_id": invoice.pk, "amount": invoice.gross_total, "method": "transfer"}
            finance.record_payment(data, actor=actor, idempotency_key=f"{key} {invoice.number}")
