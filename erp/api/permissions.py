"""Who may do what over the API: reading needs the model's view permission, writing the owner's duty."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from erp.duties import has_duty

_ACTIONS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "change"}


class EntityPermission(BasePermission):
    """For owner and copy views: model permissions, which groups get from the ownership map."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user may read, or write, this model. A copy is never written: reading decides."""
        meta = _model(view)._meta
        verb = "view"
        if request.method not in SAFE_METHODS and not getattr(view, "is_copy", False):
            verb = _ACTIONS.get(request.method or "", "change")
        return bool(request.user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}"))


class DutyPermission(BasePermission):
    """For operations of a module: the user has the duty that the view's ``module`` names."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the user has the duty (or, for ``entity_permission``, that model permission)."""
        allowed_by: str = getattr(view, "entity_permission", "")
        if allowed_by and request.user.has_perm(allowed_by):
            return True
        return has_duty(request.user, view.module)  # type: ignore[attr-defined]


def _model(view: APIView) -> Any:
    return view.queryset.model  # type: ignore[attr-defined]
