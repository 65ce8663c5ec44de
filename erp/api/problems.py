"""Errors of the API as problem details (RFC 9457): every refusal has a type, a title and a machine-readable code."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from psycopg import errors as pg
from rest_framework import exceptions, status
from rest_framework.response import Response

from erp.actor import request_id
from erp.db import sqlstate_error
from erp.errors import ErpError

CONTENT_TYPE = "application/problem+json"


class PreconditionRequired(ErpError):
    """Send If-Match with the version your change is based on, e.g. If-Match: "3", or If-Match: * for any."""

    code = "precondition-required"
    status = 428


class IdempotencyKeyRequired(ErpError):
    """Send an Idempotency-Key header with this request, so that repeating it is safe."""

    code = "idempotency-key-required"
    status = 400


class MethodNotOwned(ErpError):
    """This is a read-only copy; write the entity at its owner."""

    code = "not-the-owner"
    status = 405


def problem(code: str, title: str, status_code: int, detail: str, **more: Any) -> dict[str, Any]:
    """Body of a problem; ``more`` are extension members."""
    body = {
        "type": f"urn:erp:problem:{code}",
        "title": title,
        "status": status_code,
        "detail": detail,
        "code": code,
        "request_id": request_id(),
    }
    return body | {name: value for name, value in more.items() if name not in body}


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Project-wide 404: a problem below /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        detail = f"there is nothing at {request.path}"
        body = problem("not-found", "There is no such resource.", 404, detail, instance=request.path)
        return JsonResponse(body, status=404, content_type=CONTENT_TYPE)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Project-wide 500: a problem below /api/, a page elsewhere; the request id is what support asks for."""
    if request.path.startswith("/api/"):
        body = problem("internal-error", "Something went wrong here.", 500, "it is in our log under the request id")
        return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
    return defaults.server_error(request)


def problem_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: a problem response for what is known, None (a 500) for what is not."""
    found = _from_erp(exception) or _from_database(exception) or _from_rest_framework(exception)
    if found is None:
        return None
    request = context.get("request")
    body, headers = found
    if request is not None:
        body.setdefault("instance", request.path)
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


Found = tuple[dict[str, Any], dict[str, str]]


def _from_erp(error: Exception) -> Found | None:
    if not isinstance(error, ErpError):
        return None
    headers = {}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if "owner_url" in error.details:
        headers["Link"] = f'<{error.details["owner_url"]}>; rel="edit"'
        headers["Allow"] = "GET, HEAD, OPTIONS"
    title = (type(error).__doc__ or error.code).strip().split("\n")[0]
    return problem(error.code, title, error.status, error.message, **error.details), headers


def _from_database(error: Exception) -> Found | None:
    cause = sqlstate_error(error)
    if isinstance(error, IntegrityError):
        if isinstance(cause, pg.UniqueViolation):
            detail = (cause.diag.message_detail or "").strip() or "a unique value is already taken"
            return problem("conflict", "The record collides with another one.", 409, detail), {}
        if isinstance(cause, pg.CheckViolation):
            detail = f"the value breaks the rule {cause.diag.constraint_name}"
            return problem("rule-broken", "A rule of the database refuses these values.", 409, detail), {}
        return None
    if isinstance(error, OperationalError):
        title = "The database does not answer right now; please try again."
        return problem("database-unavailable", title, 503, "nothing was changed"), {"Retry-After": "5"}
    return None


def _from_rest_framework(error: Exception) -> Found | None:
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    if isinstance(error, exceptions.ValidationError):
        title = "Some values are not valid."
        return problem("invalid", title, status.HTTP_400_BAD_REQUEST, title, errors=_field_errors(error)), headers
    code = str(error.default_code).replace("_", "-")
    return problem(code, str(error.default_detail), error.status_code, str(error.detail)), headers


def _field_errors(error: exceptions.ValidationError) -> Any:
    detail = error.detail
    if isinstance(detail, list) and not any(isinstance(item, dict) for item in detail):
        return {"non_field_errors": detail}
    return detail
