"""JSON with exact decimals: money leaves the API as a string of its digits, never as a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class ExactJSONEncoder(JSONEncoder):
    """Decimal as its digits without an exponent."""

    def default(self, obj: Any) -> Any:
        """Encode what JSON does not know."""
        if isinstance(obj, Decimal):
            return format(obj, "f")
        return super().default(obj)


class ExactJSONRenderer(JSONRenderer):
    """``application/json`` through :class:`ExactJSONEncoder`."""

    encoder_class = ExactJSONEncoder
