"""What Logistics owns: warehouses, stock, reservations, orders to fulfil, shipments, returns.

Glossary: *on hand* is what lies in a warehouse; *reserved* is the part of it that is promised to an order or a
shopper; *free* is on hand less reserved. A *hold* is a reservation that expires. A *stock move* is one signed
change of on hand. A *shipment* takes goods out of one warehouse for one order; its *goods issue* is irreversible.
A *backorder* is the part of an order line for which nothing is reserved yet.
"""

from __future__ import annotations

from logistics.copies import CustomerCopy, ProductCopy
from logistics.models.counting import StockCount, StockCountLine
from logistics.models.orders import OrderOffer, Reservation, SalesOrder, SalesOrderLine
from logistics.models.shipping import ReturnLine, ReturnOrder, Shipment, ShipmentLine
from logistics.models.stock import (
    ExpectedGoods,
    GoodsReceipt,
    ProductSequence,
    ReorderLevel,
    Stock,
    StockMove,
    Warehouse,
)
from logistics.standard import ChangeJournal, IdempotencyKey, ReaderState, RelayItem

__all__ = [
    "ChangeJournal",
    "CustomerCopy",
    "ExpectedGoods",
    "GoodsReceipt",
    "IdempotencyKey",
    "OrderOffer",
    "ProductCopy",
    "ProductSequence",
    "ReaderState",
    "RelayItem",
    "ReorderLevel",
    "Reservation",
    "ReturnLine",
    "ReturnOrder",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
    "Stock",
    "StockCount",
    "StockCountLine",
    "StockMove",
    "Warehouse",
]
