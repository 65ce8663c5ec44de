"""The board's pages; each is JSON too, with ``?format=json`` or ``Accept: application/json``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from erp import ownership
from erp.alerts import open_alerts
from erp.board import history
from erp.board.actions import act, ask_for_run, may_look_inside
from erp.board.plots import line_plot, percent, seconds
from erp.board.repairs import repairs_of
from erp.board.report import public_key, signed_report
from erp.board.state import BoardPair, board_as_json, board_pairs, lags, latest_rebuilds, latest_run, run_as_json
from erp.duties import has_duty
from erp.errors import Refused
from erp.fields import dump_json
from erp.models import Alert, AlertDelivery, ScrubResult, ScrubRun
from erp.scrubber.checks import all_checks
from erp.staff.copies import owner_page

PER_PAGE = 50


@dataclass(frozen=True)
class Plot:
    """A plot under its title."""

    title: str
    svg: SafeString


@dataclass(frozen=True)
class BoardLine:
    """One entity of the map: its owner's page, its readers' copies, their plots."""

    entity: ownership.Entity
    url: str
    pairs: list[BoardPair]
    plots: list[Plot]
    may_repair: bool


def _wants_json(request: HttpRequest) -> bool:
    return (
        request.GET.get("format") == "json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )


def _json(value: Any) -> HttpResponse:
    return HttpResponse(dump_json(value), content_type="application/json")


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"erp/board/{template}.html", whole)


@require_http_methods(["GET", "HEAD", "POST"])
def board(request: HttpRequest) -> HttpResponse:
    """Who owns what, who reads it, how old each copy is and whether it is right; POST repairs."""
    if request.method == "POST":
        act(request)
        return HttpResponseRedirect(reverse("ownership-board"))
    if _wants_json(request):
        return _json(board_as_json())
    pairs = board_pairs()
    internal = [(module, [i.table for i in tables]) for module, tables in ownership.INTERNAL.items()]
    run = latest_run()
    return _page(
        request, "board", "Consistency",
        lines=[_line(request, entity, pairs) for entity in ownership.ENTITIES],
        internal=internal, run=run, progress=run_as_json(run) if run else None, alerts=open_alerts(),
        lags=lags(), rebuilds=latest_rebuilds(), may_look_inside=may_look_inside(request),
    )  # fmt: skip


def _line(request: HttpRequest, entity: ownership.Entity, pairs: list[BoardPair]) -> BoardLine:
    mine = [pair for pair in pairs if pair.state.entity == entity.name]
    return BoardLine(entity, owner_page(entity.name), mine, _plots(entity), has_duty(request.user, entity.owner))


def _plots(entity: ownership.Entity) -> list[Plot]:
    check = next((spec for spec in all_checks() if spec.entity == entity.name), None)
    drifts = history.drifts(check.name, timezone.now()) if check else {}
    found: list[Plot] = []
    for reader in entity.readers:
        label = ownership.MODULE_LABELS[reader]
        if not entity.is_instant:
            title = f"{label}: worst age, last {history.AGE_HOURS} h"
            ages = history.ages(entity, reader)
            found.append(Plot(title, line_plot(ages, title=title, limit=float(entity.window_s), show=seconds)))
        if check:
            title = f"{label}: drift, last {history.DRIFT_DAYS} days"
            series = drifts.get(f"{reader}/{entity.name}", [])
            limit = None if check.is_exact else check.threshold
            found.append(Plot(title, line_plot(series, title=title, limit=limit, show=percent)))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def runs(request: HttpRequest) -> HttpResponse:
    """History of the scrubber's runs; POST asks for one."""
    _require_duty(request)
    if request.method == "POST":
        try:
            ask_for_run(request)
        except Refused as error:
            raise Http404(error.message) from error
        return HttpResponseRedirect(reverse("scrub-runs"))
    rows = _rows(request, ScrubRun.objects.prefetch_related("results"))
    if _wants_json(request):
        return _json({"runs": [run_as_json(run) for run in rows], **_which(rows)})
    lines = [(run, run.results.all(), run_as_json(run)) for run in rows]
    return _page(request, "runs", "Scrubber runs", lines=lines, rows=rows, checks=all_checks())


def _rows(request: HttpRequest, found: QuerySet[Any]) -> Page[Any]:
    """The page of a history that is asked for, newest first."""
    return Paginator(found, PER_PAGE).get_page(request.GET.get("page"))


def _which(rows: Page[Any]) -> dict[str, int]:
    return {"page": rows.number, "pages": rows.paginator.num_pages, "total": rows.paginator.count}


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: the result of each check, or how far it is."""
    _require_duty(request)
    found = ScrubRun.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    results = list(found.results.order_by("id"))
    if _wants_json(request):
        names = ("name", "status", "compared", "mismatched", "drift", "amount", "cause", "repair", "seconds", "at")
        return _json({**run_as_json(found), "checks": [{n: getattr(r, n) for n in names} for r in results]})
    titles = {spec.name: spec.title for spec in all_checks()}
    lines = [(result, titles.get(result.name, result.name)) for result in results]
    return _page(request, "run", f"Run {pk}", run=found, lines=lines, progress=run_as_json(found))


@require_safe
def samples(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One check of one run: the rows that differ, side by side."""
    _require_duty(request)
    result = ScrubResult.objects.filter(run=pk, name=name).first()
    if result is None:
        raise Http404
    if _wants_json(request):
        return _json({"run": pk, "check": name, "repair": result.repair, "samples": result.samples})
    rows = [(sample, side_by_side(sample["expected"], sample["found"])) for sample in result.samples]
    title = next((spec.title for spec in all_checks() if spec.name == name), name)
    repairs = [repair for repair in repairs_of(result) if has_duty(request.user, repair.owner)]
    return _page(request, "samples", title, result=result, rows=rows, repairs=repairs)


def side_by_side(expected: Any, found: Any) -> list[tuple[str, Any, Any, bool]]:
    """(column, expected, found, differs), columns that differ first; single values have one line."""
    if not isinstance(expected, dict) and not isinstance(found, dict):
        return [("value", expected, found, expected != found)]
    left = expected if isinstance(expected, dict) else {}
    right = found if isinstance(found, dict) else {}
    both = bool(left and right)  # a row that one side lacks differs as a whole
    names = list(dict.fromkeys([*left, *right]))
    lines = [(n, left.get(n), right.get(n), both and left.get(n) != right.get(n)) for n in names]
    return sorted(lines, key=lambda line: not line[3])


@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """History of incidents and of who was told."""
    _require_duty(request)
    told = Prefetch("deliveries", AlertDelivery.objects.order_by("id"))
    found = _rows(request, Alert.objects.prefetch_related(told))
    if _wants_json(request):
        names = ("key", "severity", "message", "details", "opened_at", "last_seen_at", "resolved_at")
        return _json({"alerts": [{name: getattr(alert, name) for name in names} for alert in found], **_which(found)})
    return _page(request, "alerts", "Incidents", rows=found, public_key=public_key())


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """The signed report of the last ``days`` (default 30) as a file."""
    _require_duty(request)
    days = request.GET.get("days", "30")
    if not days.isdigit() or not 1 <= int(days) <= 3660:
        raise Http404("days is a number from 1 to 3660")
    now = timezone.now()
    answer = HttpResponse(
        dump_json(signed_report(now - timedelta(days=int(days)), now)), content_type="application/json"
    )
    answer["Content-Disposition"] = f'attachment; filename="consistency-{now:%Y-%m-%d}.json"'
    return answer


def _require_duty(request: HttpRequest) -> None:
    if not may_look_inside(request):
        raise PermissionDenied
