"""Model fields shared by the modules: exact JSON, money, unit prices, transaction stamps."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class DecimalJSONDecoder(json.JSONDecoder):
    """Reads JSON numbers with a fraction as Decimal, so that money survives the trip."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["parse_float"] = Decimal
        super().__init__(**kwargs)


class ExactJSONEncoder(DjangoJSONEncoder):
    """Writes Decimal as a string of its exact digits; dates as ISO 8601."""


def load_json(text: str | bytes | None) -> Any:
    """Parse JSON with exact decimals; None stays None."""
    return None if text is None else json.loads(text, parse_float=Decimal)


def dump_json(value: Any) -> str:
    """Serialise plain data (Decimal, date, datetime, UUID allowed) to JSON."""
    return json.dumps(value, cls=ExactJSONEncoder, ensure_ascii=False)


class ExactJSONField(models.JSONField):
    """jsonb whose numbers with a fraction are read back as Decimal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("encoder", ExactJSONEncoder)
        kwargs.setdefault("decoder", DecimalJSONDecoder)
        super().__init__(*args, **kwargs)


class AmountField(models.DecimalField[Any, Any]):
    """Money amount, already rounded to its currency's minor unit: numeric(19,4)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class UnitPriceField(models.DecimalField[Any, Any]):
    """Price or cost of one unit: numeric(19,6)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)


class Xid8Field(models.Field[Any, Any]):
    """Transaction id (xid8) that last wrote the row; stamped by a trigger, read-only for Python."""

    def db_type(self, connection: Any) -> str:
        """The PostgreSQL type."""
        return "xid8"

    def get_internal_type(self) -> str:
        """Internal type name for migrations and introspection."""
        return "Xid8Field"
