"""Demo masters: a small catalogue of our own and a few customers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from admin_app.models import Customer, Product, VatCodeCopy
from admin_app.serializers import CustomerSerializer, ProductSerializer
from admin_app.services.demo_pictures import draw
from admin_app.services.pictures import keep
from erp.actor import Actor

# sku, name, category, net price in HUF, weight in g, description
_GOODS = (
    ("MUG-BLUE", "Enamel mug, blue", "Kitchen/Mugs", "2350", 210, "Enamelled steel, 350 ml, for home and camp fire."),
    ("MUG-RED", "Enamel mug, red", "Kitchen/Mugs", "2350", 210, "Enamelled steel, 350 ml, for home and camp fire."),
    ("MUG-STONE", "Stoneware mug", "Kitchen/Mugs", "3140", 380, "Thrown by hand; each is different."),
    ("CUP-ESP-2", "Espresso cups, pair", "Kitchen/Mugs", "4720", 420, "Two cups with saucers, porcelain."),
    ("TEA-POT", "Tea pot, 1 l", "Kitchen/Tea", "8650", 890, "Porcelain, with a steel sieve."),
    ("TEA-LINDEN", "Linden blossom tea, 50 g", "Kitchen/Tea", "1180", 60, "Picked in the Bakony hills."),
    ("TEA-ROSEHIP", "Rosehip tea, 100 g", "Kitchen/Tea", "1260", 110, "Dried and cut."),
    ("PAN-26", "Cast iron pan, 26 cm", "Kitchen/Cookware", "12590", 2300, "Seasoned, for every kind of hob."),
    ("POT-GOULASH", "Goulash kettle, 10 l", "Kitchen/Cookware", "15740", 2900, "Enamelled, with a lid."),
    ("KNIFE-CHEF", "Chef's knife, 20 cm", "Kitchen/Cookware", "11020", 240, "Carbon steel, walnut handle."),
    ("BOARD-OAK", "Oak cutting board", "Kitchen/Cookware", "6690", 1500, "One piece of oak, 40 × 25 cm."),
    ("PAPRIKA-SW", "Sweet paprika, 100 g", "Pantry/Spices", "1420", 110, "From Kalocsa, stone ground."),
    ("PAPRIKA-HOT", "Hot paprika, 100 g", "Pantry/Spices", "1500", 110, "From Szeged, stone ground."),
    ("HONEY-ACACIA", "Acacia honey, 500 g", "Pantry/Honey", "2830", 720, "From one apiary in Nyírség."),
    ("HONEY-LINDEN", "Linden honey, 500 g", "Pantry/Honey", "2990", 720, "From one apiary in Zala."),
    ("JAM-APRICOT", "Apricot jam, 320 g", "Pantry/Jam", "1890", 480, "Fruit from Kecskemét, little sugar."),
    ("TOWEL-LINEN", "Linen kitchen towel", "Home/Textiles", "3300", 140, "Woven in stripes, 50 × 70 cm."),
    ("CLOTH-TABLE", "Table cloth, blue dyed", "Home/Textiles", "14170", 620, "Resist dyed by hand, 140 × 200 cm."),
    ("CUSHION-MATYO", "Cushion, Matyó flowers", "Home/Textiles", "9440", 540, "Embroidered cover, 40 × 40 cm."),
    ("CANDLE-BEES", "Beeswax candles, six", "Home/Light", "3930", 320, "Pure wax, 8 hours each."),
    ("LAMP-OIL", "Oil lamp", "Home/Light", "10230", 1100, "Brass and glass, 32 cm."),
    ("BASKET-WILLOW", "Willow basket", "Home/Storage", "7480", 800, "Woven in Beregdaróc."),
    ("BIRD-FEEDER", "Bird feeder", "Garden", "5510", 950, "Larch wood, for seeds and suet."),
    ("SEEDS-MEADOW", "Meadow flower seeds", "Garden", "1570", 40, "Forty native kinds, for 10 m²."),
)

# sku, name, class, net price in HUF
_OTHER = (
    ("SHIP-HOME", "Home delivery", "shipping", "1173"),
    ("SHIP-POINT", "Delivery to a parcel point", "shipping", "701"),
    ("GIFT-WRAP", "Gift wrapping", "service", "630"),
    ("DISCOUNT", "Discount", "discount", "0"),
)

_PERSON: dict[str, Any] = {
    "is_company": False, "country": "HU", "tax_number": "", "vat_status": "private", "currency": "HUF",
    "language": "hu", "payment_terms_days": 8, "phone": "",
}  # fmt: skip
_CUSTOMERS: tuple[dict[str, Any], ...] = (
    {"name": "Kiss Anna", "email": "anna.kiss@example.com", "postcode": "7621", "city": "Pécs",
     "street": "Király u. 5."},
    {"name": "Nagy Béla", "email": "bela.nagy@example.com", "postcode": "9021", "city": "Győr", "street": "Fő tér 2."},
    {"name": "Horváth Csilla", "email": "csilla@example.com", "postcode": "1051", "city": "Budapest",
     "street": "Arany János u. 7."},
    {"name": "Kávéház a Sarkon Kft.", "email": "rendeles@kavehaz.example.com", "postcode": "6720", "city": "Szeged",
     "street": "Kárász u. 9.", "is_company": True, "tax_number": "10987656-2-06", "vat_status": "domestic",
     "payment_terms_days": 15},
    {"name": "Wiener Teehaus GmbH", "email": "einkauf@teehaus.example.com", "postcode": "1010", "city": "Wien",
     "street": "Graben 12", "country": "AT", "is_company": True, "tax_number": "ATU13585627", "vat_status": "eu",
     "language": "en", "payment_terms_days": 30},
    {"name": "Alpine Gifts AG", "email": "office@alpinegifts.example.com", "postcode": "8001", "city": "Zürich",
     "street": "Bahnhofstrasse 1", "country": "CH", "is_company": True, "vat_status": "third_country",
     "language": "en", "payment_terms_days": 30},
)  # fmt: skip


def load_demo(actor: Actor) -> dict[str, int]:
    """Create the demo masters that are missing; what exists is left as it is.

    Returns ``{"products", "customers"}``, the number of each that is new.
    """
    vat_code = standard_vat_code()
    products = [
        {
            "sku": sku, "name": name, "category": category, "base_price": Decimal(price), "weight_g": weight_g,
            "description": text, "product_class": "goods", "is_stocked": True, "is_sellable": True,
            "vat_code": vat_code, "currency": "HUF",
        }
        for sku, name, category, price, weight_g, text in _GOODS
    ]  # fmt: skip
    products += [
        {
            "sku": sku, "name": name, "category": "", "base_price": Decimal(price), "weight_g": 0, "description": "",
            "product_class": kind, "is_stocked": False, "is_sellable": kind == "service", "vat_code": vat_code,
            "currency": "HUF",
        }
        for sku, name, kind, price in _OTHER
    ]  # fmt: skip
    customers = [{**_PERSON, **row, "external_ref": f"demo:{n}"} for n, row in enumerate(_CUSTOMERS, start=1)]
    known_skus = set(Product.objects.values_list("sku", flat=True))
    known_refs = set(Customer.objects.filter(external_ref__startswith="demo:").values_list("external_ref", flat=True))
    new_products = [{**row, "image": _picture(str(row["sku"]))} for row in products if row["sku"] not in known_skus]
    new_customers = [row for row in customers if row["external_ref"] not in known_refs]
    ProductSerializer.bulk_save(new_products, actor=actor)
    CustomerSerializer.bulk_save(new_customers, actor=actor)
    return {"products": len(new_products), "customers": len(new_customers)}


def _picture(sku: str) -> str:
    drawn = draw(sku)
    return keep(drawn, drawn.tobytes()) if drawn else ""


def standard_vat_code() -> str:
    """Code of the highest plain rate that Finance has for sales; the model's default before Finance has any."""
    found = (
        VatCodeCopy.objects.filter(category="rate", retired_at__isnull=True)
        .exclude(direction="purchase")
        .order_by("-rate", "code")
        .first()
    )
    return found.code if found else str(Product().vat_code)
