"""The only way to write stock and the sales orders in Logistics' custody.

``reserving`` promises and releases, ``moving`` changes what is on hand, ``orders`` takes orders over and keeps their
states, ``recounting`` sets stock figures that were altered, ``entity`` has the
row-wise serializers of the admin and the API, ``locking`` the one lock order.
"""

from logistics.serializers.entity import SalesOrderSerializer, StockSerializer
from logistics.serializers.locking import lock_order, lock_orders, take_locks
from logistics.serializers.moving import InsufficientStock, Move, lock_stock, post_moves
from logistics.serializers.orders import cancel_lines, change_reserved, insert_order, refresh_orders, set_payment
from logistics.serializers.recounting import (
    lock_sequence,
    put_back_moves,
    restore_stock_rows,
    set_lines_reserved,
    set_sequence,
    set_stock,
)
from logistics.serializers.reserving import (
    LineResult,
    ReservationResult,
    release_pieces,
    release_reservations,
    reserve_stock,
)
from logistics.serializers.running import among, run_sql

__all__ = [
    "InsufficientStock",
    "LineResult",
    "Move",
    "ReservationResult",
    "SalesOrderSerializer",
    "StockSerializer",
    "among",
    "cancel_lines",
    "change_reserved",
    "insert_order",
    "lock_order",
    "lock_orders",
    "lock_sequence",
    "lock_stock",
    "post_moves",
    "put_back_moves",
    "refresh_orders",
    "release_pieces",
    "release_reservations",
    "reserve_stock",
    "restore_stock_rows",
    "run_sql",
    "set_lines_reserved",
    "set_payment",
    "set_sequence",
    "set_stock",
    "take_locks",
]
