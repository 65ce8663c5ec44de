"""What staff may do on the board: detach, attach, rebuild a copy, ask for a run."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from erp import ownership
from erp.actor import actor_of
from erp.db import cursor
from erp.duties import has_duty
from erp.errors import ErpError, Refused
from erp.ownership import MODULE_LABELS
from erp.publishing import owner_model
from erp.replication import resync
from erp.scrubber.engine import request_scrub
from erp.scrubber.rebuilds import request_rebuild
from erp.scrubber.repair import attach_again, check_again, repair

INLINE_ROWS = 20_000  # a larger copy is rebuilt by a worker, not while the browser waits


def act(request: HttpRequest) -> None:
    """Do what a form of the board asks; the outcome is a message. Raises PermissionDenied."""
    verb = request.POST.get("verb", "")
    try:
        if verb == "scrub":
            ask_for_run(request)
        else:
            _change_copy(request, verb)
    except ErpError as error:
        messages.error(request, error.message)


def may_look_inside(request: HttpRequest) -> bool:
    """Whether someone may see rows, reports and runs: any module's duty."""
    return any(has_duty(request.user, module) for module in ownership.MODULES)


def ask_for_run(request: HttpRequest) -> None:
    """Request a run of all checks, or of those named."""
    if not may_look_inside(request):
        raise PermissionDenied
    names = [name for name in request.POST.getlist("check") if name]
    run = request_scrub(names, asked_by=actor_of(request.user).name)
    messages.success(request, f"Run {run.pk} is asked for; the workers take it up.")


def _change_copy(request: HttpRequest, verb: str) -> None:
    name, reader = request.POST.get("entity", ""), request.POST.get("reader", "")
    try:
        entity = ownership.entity(name)
    except ownership.UnknownEntity as error:
        raise PermissionDenied from error
    if not has_duty(request.user, entity.owner):
        raise PermissionDenied
    label = MODULE_LABELS.get(reader, reader)
    if verb in ("attach", "resync"):
        if not _rebuild(request, entity, reader, is_attach=verb == "attach"):
            messages.success(request, f"A worker rebuilds {label}'s copy of {name}; its check follows by itself.")
            return
    elif verb == "detach":
        resync.detach(name, reader, request.POST.get("reason", "").strip())
        messages.warning(request, f"{label} is detached from {name}: writes no longer wait for it.")
        return
    if run := check_again(name, in_background=True):
        messages.info(request, f"Run {run.pk} checks {', '.join(run.names)} again.")


def _rebuild(request: HttpRequest, entity: ownership.Entity, reader: str, *, is_attach: bool) -> bool:
    """Rebuild now, or hand a large copy to a worker (False)."""
    keys = None if is_attach else _keys(request.POST.get("keys", ""))
    if not keys and _rows(entity) > INLINE_ROWS:
        request_rebuild(entity.name, reader, actor=actor_of(request.user), is_attach=is_attach)
        return False
    label = MODULE_LABELS.get(reader, reader)
    if is_attach:
        done = attach_again(entity.name, reader)
        messages.success(request, f"{label} is attached to {entity.name} again; {done.changed} rows were repaired.")
        return True
    done = repair(entity.name, reader, keys=keys)
    what = f"{done.changed} rows set as the owner has them, {done.removed} removed"
    messages.success(request, f"{label}'s copy of {entity.name}: {what}.")
    return True


def _keys(text: str) -> list[int] | None:
    try:
        return [int(part) for part in text.replace(" ", "").split(",") if part] or None
    except ValueError as error:
        raise Refused(f"Keys are whole numbers separated by commas, not {text!r}") from error


def _rows(entity: ownership.Entity) -> int:
    """About how many rows the owner has."""
    table = owner_model(entity.name)._meta.db_table
    with cursor(entity.owner) as cur:
        cur.execute(f"select count(*) from (select 1 from {table} limit {INLINE_ROWS + 1}) x")
        return int(cur.fetchone()[0])
