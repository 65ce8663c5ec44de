"""What the OpenAPI document says of every operation: how refusals look."""

from __future__ import annotations

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:erp:problem:stale-version"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Machine-readable reason, e.g. `reader-unavailable`."},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"description": "Of `invalid`: messages by field."},
    },
    "additionalProperties": True,
}


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular hook: every operation's ``default`` response is a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "A refusal or an error; 503 comes with Retry-After and nothing has changed.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation.setdefault("responses", {}).setdefault("default", answer)
    return result
