"""Keyset pagination: the next page starts after the last id, so a page costs the same at any depth."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

PAGE_ROWS = 100
MAX_PAGE_ROWS = 500


class KeysetPagination(BasePagination):
    """``?after=<id>&limit=<rows>``; the answer is ``{"next": <url or null>, "results": [...]}``."""

    next_url: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """One page in id order."""
        limit = min(_whole_number(request, "limit", PAGE_ROWS, least=1), MAX_PAGE_ROWS)
        after = _whole_number(request, "after", 0, least=0)
        rows = queryset.order_by("pk")
        if after:
            rows = rows.filter(pk__gt=after)
        page = list(rows[: limit + 1])
        self.next_url = None
        if len(page) > limit:
            page = page[:limit]
            self.next_url = replace_query_param(request.build_absolute_uri(), "after", str(page[-1].pk))
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """The page and the link to the next one."""
        headers = {"Link": f'<{self.next_url}>; rel="next"'} if self.next_url else {}
        return Response({"next": self.next_url, "results": data}, headers=headers)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """OpenAPI schema of a page."""
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {"type": ["string", "null"], "format": "uri"},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """OpenAPI parameters of a list."""
        return [
            _parameter("after", "Start after this id; taken from `next`.", {"type": "integer", "minimum": 0}),
            _parameter(
                "limit",
                f"Rows of a page, at most {MAX_PAGE_ROWS}.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ROWS, "default": PAGE_ROWS},
            ),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _whole_number(request: Request, name: str, default: int, *, least: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not text.isascii() or not least <= int(text) < 2**63:
        raise ValidationError({name: [f"Give a whole number, at least {least}."]})
    return int(text)
