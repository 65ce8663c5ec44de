"""Building blocks of Storefront's tests: masters through their owners, shoppers, carts, orders."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.test import Client

from admin_app.models import Customer, Product
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.actor import Actor
from erp.db import module_transaction
from erp.models import User
from erp.replication.pull import run_copy
from finance import api as finance
from logistics import api as logistics
from storefront import api
from storefront.models import CustomerCopy, SalesOrder, ShippingMethod
from storefront.services import accounts
from storefront.services.handover import outcome_of
from storefront.services.visitors import Visitor

SHOPPER = Actor(None, "shopper", "customer")
_numbers = itertools.count(1)


def set_up_books() -> None:
    """Finance's books with their VAT codes; needed once per database."""
    finance.set_up_books(SHOPPER)


def customer(name: str = "Kiss Anna", **fields: Any) -> CustomerCopy:
    """A customer."""
    row = {"external_ref": f"shop:{name}", "name": name, "country": "HU", **fields}
    key = CustomerSerializer.bulk_save([row])[0]["id"]
    return CustomerCopy.objects.get(pk=key)


def product(price: str = "1000", stock: int | None = None, **fields: Any) -> int:
    """A product at a net price; with ``stock`` pieces in the warehouse. Returns its id."""
    sku = fields.pop("sku", None) or f"SHOP-{next(_numbers):04d}"
    row = {
        "sku": sku, "name": f"Thing {sku}", "base_price": Decimal(price), "vat_code": "27",
        "currency": settings.BASE_CURRENCY, **fields,
    }  # fmt: skip
    key = int(ProductSerializer.bulk_save([row])[0]["id"])
    if stock is not None:
        logistics.save_warehouse({"code": "MAIN", "name": "Main", "priority": 10})
        if stock:
            receive(key, stock)
    return key


def receive(product_id: int, quantity: int) -> None:
    """Goods come in."""
    rows = [{"product_id": product_id, "quantity": quantity, "unit_cost": Decimal(600)}]
    logistics.receive_goods(rows, actor=SHOPPER, key=None, warehouse="MAIN")


def copy_stock() -> None:
    """One run of the stock copy."""
    run_copy("stock", "logistics", "storefront")


def copy_orders() -> None:
    """One run of the order copies that Storefront reads."""
    run_copy("sales_order", "logistics", "storefront")


def delivery(code: str = "PICKUP", **fields: Any) -> ShippingMethod:
    """A way of delivery, free unless told otherwise."""
    with module_transaction("storefront"):
        made, _ = ShippingMethod.objects.update_or_create(code=code, defaults={"name": code.title(), **fields})
    return made


def account(email: str = "anna@example.com", password: str = "anna-secret-1", **fields: Any) -> CustomerCopy:  # noqa: S107
    """A customer with a shop log-in."""
    found = customer(email=email, external_ref=f"shop:{email}", **fields)
    user = User.objects.create_user(username=email, email=email, password=password)
    accounts.link_account(user.pk, found.pk, email)
    return found


def logged_in(email: str = "anna@example.com", password: str = "anna-secret-1") -> Client:  # noqa: S107
    """Browser of a shopper who logged in through the page."""
    client = Client()
    response = client.post("/account/login/", {"email": email, "password": password})
    assert response.status_code == 302, response.content.decode()
    return client


def visitor(of: CustomerCopy | None = None) -> Visitor:
    """A visitor as the services know him."""
    return Visitor(None, of, (of.email or "") if of else "")


def place(*lines: tuple[int, int], key: str | None = None, **data: Any) -> dict[str, Any]:
    """Place an order of (product, quantity) lines over the API; returns its answer."""
    body = {
        "customer_id": data.pop("customer_id", None) or customer().pk,
        "lines": [{"product_id": p, "quantity": q} for p, q in lines],
        **data,
    }
    return api.place_order(body, actor=SHOPPER, idempotency_key=key or f"key-{next(_numbers)}")


CHECKOUT = {
    "email": "guest@example.com", "phone": "", "ship_name": "Nagy Béla", "ship_street": "Fő utca 2.",
    "ship_postcode": "6720", "ship_city": "Szeged", "ship_country": "HU", "bill_same": "on", "tax_number": "",
    "shipping_method": "PICKUP", "payment_method": "transfer", "note": "", "accept_terms": "on",
}  # fmt: skip


def order_form(client: Client, **changes: str) -> dict[str, str]:
    """What the browser would send for the checkout page that it has been shown."""
    page = client.get("/checkout/?shipping_method=" + changes.get("shipping_method", "PICKUP"))
    assert page.status_code == 200, page
    context = page.context
    return {
        **CHECKOUT,
        "idempotency_key": context["idempotency_key"],
        "cart_version": str(context["cart_version"]),
        "total": str(context["totals"]["gross"]),
        **changes,
    }


def result_of(order_id: int) -> str:
    """Where an order stands for Storefront."""
    return outcome_of(SalesOrder.objects.get(pk=order_id)).result


def reprice(product: int, price: str) -> None:
    """The product's price changes."""
    change(product, base_price=Decimal(price))


def change(product: int, **fields: object) -> None:
    """The product changes at Admin."""
    serializer = ProductSerializer(Product.objects.get(pk=product), data=fields, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save()


def change_customer(customer_id: int, **fields: object) -> None:
    """The customer changes at Admin."""
    serializer = CustomerSerializer(Customer.objects.get(pk=customer_id), data=fields, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save()


def with_cart(*lines: tuple[int, int], client: Client | None = None) -> Client:
    """A browser with (product, quantity) lines in its cart."""
    client = client or Client()
    for product, quantity in lines:
        response = client.post(f"/cart/add/{product}/", {"quantity": quantity})
        assert response.status_code == 302, response.content.decode()
    return client


def order_of(product: int) -> SalesOrder:
    """The one order of this product."""
    return SalesOrder.objects.get(lines__product_id=product)


def orders_of(product: int) -> int:
    """Number of orders of this product."""
    return SalesOrder.objects.filter(lines__product_id=product).count()
