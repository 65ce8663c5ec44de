"""Products and customers are what most of the lines say."""

from __future__ import annotations

from decimal import Decimal

from storefront.services.replay.masters import Customer, Product
from storefront.services.replay.source import Record
from storefront.services.replay.survey import take_survey

from .making import invoice, record


def product_of(*records: Record) -> Product:
    (product,) = take_survey([invoice(*records)]).products
    return product


def test_most_frequent_description_and_price_are_chosen() -> None:
    product = product_of(
        record(description="wrongly sold as sets", unit_price="9.99"),
        record(description=" LANTERN "),
        record(description="LANTERN", stock_code="85123a"),
        record(description="", unit_price="0"),
        record(description="", unit_price="0"),
        record(description="", unit_price="0"),
    )
    assert product.name == "LANTERN"
    assert product.base_price == Decimal("2.55")
    assert product.is_sellable


def test_first_seen_wins_a_tie() -> None:
    product = product_of(record(description="ONE", unit_price="2"), record(description="TWO", unit_price="1"))
    assert (product.name, product.base_price) == ("ONE", Decimal(2))


def test_product_without_description_is_named_by_its_code_and_not_sellable() -> None:
    product = product_of(record(description=" ", stock_code="22423"))
    assert product.name == "22423"
    assert not product.is_sellable


def test_product_without_price_is_not_sellable() -> None:
    product = product_of(record(unit_price="0"))
    assert product.base_price == 0
    assert not product.is_sellable


def test_code_that_is_no_goods_is_not_sellable() -> None:
    assert not product_of(record(stock_code="POST")).is_sellable


def test_customers_are_made_once_with_their_first_country() -> None:
    survey = take_survey(
        [
            invoice(record("536365", country="Cyprus")),
            invoice(record("536366", country="Spain")),
            invoice(record("536367", customer_id="17851.0")),
        ]
    )
    assert survey.customers == [
        Customer("17850", "Customer 17850", "CY", is_cash=False),
        Customer("17851", "Customer 17851", "GB", is_cash=False),
    ]


def test_sales_without_a_customer_share_a_cash_customer_per_country() -> None:
    survey = take_survey(
        [
            invoice(record("536365", customer_id="")),
            invoice(record("C536366", customer_id="", quantity=-1)),
            invoice(record("536367", customer_id="", country="EIRE")),
            invoice(record("536368", customer_id="", country="France", unit_price="0")),  # an adjustment needs none
        ]
    )
    assert survey.customers == [
        Customer("cash-GB", "Cash customer GB", "GB", is_cash=True),
        Customer("cash-IE", "Cash customer IE", "IE", is_cash=True),
    ]


def test_rejected_invoice_makes_no_master() -> None:
    survey = take_survey([invoice(record(quantity="x"))])
    assert (survey.products, survey.customers, survey.opening_on) == ([], [], None)
