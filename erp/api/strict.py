"""What the API does not know it refuses by name: a misspelt field or filter must not look as if it had worked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ListSerializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

PAGE_PARAMETERS = ("after", "limit")
EVERYWHERE = frozenset(filter(None, [api_settings.URL_FORMAT_OVERRIDE]))


def refuse_unknown_parameters(view: APIView, request: Request) -> None:
    """Raise ValidationError naming every query parameter that this view does not have."""
    given = set(request.query_params)
    if not given:
        return
    known = EVERYWHERE | set(getattr(view, "known_parameters", ()))
    if request.method in {"GET", "HEAD"} and "pk" not in view.kwargs:
        known |= _list_parameters(view)
    unknown = sorted(given - known)
    if unknown:
        raise ValidationError({name: [_told("query parameter", name, known)] for name in unknown})


def _list_parameters(view: Any) -> set[str]:
    found: set[str] = set()
    if getattr(view, "pagination_class", None) is not None:
        found.update(PAGE_PARAMETERS)
    for backend in getattr(view, "filter_backends", ()):
        read = getattr(backend(), "get_filterset_class", None)
        filters = read(view, view.get_queryset()) if read else None
        if filters is not None:
            found.update(filters.base_filters)
    return found


def refuse_unknown_fields(serializer: BaseSerializer[Any], data: Any) -> None:
    """Raise ValidationError naming every field of a body that the serializer does not have, nested ones by path.

    Fields that are only read may be sent back; they are known and change nothing.
    """
    errors = dict(_unknown(serializer, data, ""))
    if errors:
        raise ValidationError(errors)


def _unknown(field: Any, data: Any, path: str) -> Iterable[tuple[str, list[str]]]:
    if isinstance(field, ListSerializer) and isinstance(data, list):
        for n, row in enumerate(data):
            yield from _unknown(field.child, row, f"{path}[{n}]")
    elif hasattr(field, "fields") and isinstance(data, Mapping):
        for name, value in data.items():
            where = f"{path}.{name}" if path else str(name)
            if name not in field.fields:
                yield where, [_told("field", str(name), field.fields)]
            else:
                yield from _unknown(field.fields[name], value, where)


def _told(what: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"There is no such {what}" + (f"; did you mean {near[0]}?" if near else ".")
