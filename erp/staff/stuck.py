"""The page of stuck documents: what, since when, why, the document itself, and one button. JSON too."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from erp import stuck
from erp.actor import actor_of
from erp.api.problems import CONTENT_TYPE, problem
from erp.board.actions import may_look_inside
from erp.duties import has_duty
from erp.errors import ErpError
from erp.fields import dump_json
from erp.staff.desk import page, perform


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a machine."""
    return (
        request.GET.get("format") == "json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )


@require_safe
def stuck_documents(request: HttpRequest) -> HttpResponse:
    """Everything that is stuck, oldest first per source; for staff with any duty."""
    if not may_look_inside(request):
        raise PermissionDenied
    found, now = stuck.list_stuck(request.GET.get("module", "")), timezone.now()
    if wants_json(request):
        return HttpResponse(dump_json(stuck.as_json(found, now)), content_type="application/json")
    groups = [(source, documents, has_duty(request.user, source.module)) for source, documents in found]
    return page(request, "erp/stuck.html", "Stuck documents", groups=groups, now=now, retries=stuck.list_retries())


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try one document again; needs the duty of its module."""
    name, key = request.POST.get("source", ""), request.POST.get("key", "")
    try:
        source = stuck.get_source(name)
    except ErpError as error:
        raise PermissionDenied from error
    if not has_duty(request.user, source.module):
        raise PermissionDenied

    def run() -> str:
        return stuck.try_again(name, key, actor_of(request.user))

    if not wants_json(request):
        return perform(request, run, reverse("stuck-documents"))
    try:
        return JsonResponse({"outcome": run()})
    except ErpError as error:
        body = problem(error.code, error.message, error.status, error.message)
        return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)
