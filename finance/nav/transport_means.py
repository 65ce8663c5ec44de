"""New means of transport, which an exempt intra-Community sale (KBAUK) must describe."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

NEW_TRANSPORT = "KBAUK"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A land vehicle."""

    engine_capacity: Decimal
    engine_power: Decimal
    kms: Decimal


@dataclass(frozen=True, slots=True)
class Vessel:
    """A water vessel."""

    length: Decimal
    is_exempt_activity: bool
    sailed_hours: Decimal


@dataclass(frozen=True, slots=True)
class Aircraft:
    """An aircraft."""

    take_off_weight: Decimal
    is_air_cargo: bool
    operation_hours: Decimal


@dataclass(frozen=True, slots=True)
class NewTransportMean:
    """One new means of transport."""

    kind: Vehicle | Vessel | Aircraft
    brand: str = ""
    serial_number: str = ""
    engine_number: str = ""
    first_used_on: date | None = None
