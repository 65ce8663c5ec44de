"""What Storefront owns: the shop's categories and shipping methods, carts, shop accounts, and sales orders.

Glossary: a *cart* is what a visitor means to buy and binds nobody; a *sales order* is what was confirmed. The
Storefront owns an order until it is handed over to Logistics; *custody* says how far the hand-over has come,
and the *epoch* numbers the offers of one order: 1, 3, 5…; what Logistics accepts lives under the next even one.
"""

from __future__ import annotations

from storefront.carts import Cart, CartLine
from storefront.catalogue import Category, ShippingMethod, ShopAccount
from storefront.copies import CustomerCopy, InvoiceCopy, ProductCopy, SalesOrderCopy, StockCopy, VatCodeCopy
from storefront.history import ReplayedInvoice
from storefront.mailing import MailedDocument
from storefront.orders import SalesOrder, SalesOrderLine
from storefront.payments import PaymentAttempt, PaymentBooking, PaymentCallback
from storefront.search_words import SearchedProduct, SearchWord
from storefront.standard import ChangeJournal, CopyPosition, CopyTick, IdempotencyKey, ReaderState, RelayItem
from storefront.throttling import AttemptCount

__all__ = [
    "AttemptCount",
    "Cart",
    "CartLine",
    "Category",
    "ChangeJournal",
    "CopyPosition",
    "CopyTick",
    "CustomerCopy",
    "IdempotencyKey",
    "InvoiceCopy",
    "MailedDocument",
    "PaymentAttempt",
    "PaymentBooking",
    "PaymentCallback",
    "ProductCopy",
    "ReaderState",
    "RelayItem",
    "ReplayedInvoice",
    "SalesOrder",
    "SalesOrderCopy",
    "SalesOrderLine",
    "SearchWord",
    "SearchedProduct",
    "ShippingMethod",
    "ShopAccount",
    "StockCopy",
    "VatCodeCopy",
]
