"""Whether this installation lives and is ready, and its figures for Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis, RedisError

from erp import db, doors, ownership
from erp.board.metrics import families
from erp.ownership import SCHEMAS, alias_of
from erp.replication import positions

_migrated: set[str] = set()  # modules seen fully migrated by this process; that does not go away


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every module's database answers, is migrated and provisioned; Redis is reported, not needed."""
    modules = {module: _module_state(module) for module in SCHEMAS}
    doors = _missing_doors() if all(state == "ok" for state in modules.values()) else []
    ready = all(state == "ok" for state in modules.values()) and not doors
    body = {
        "ready": ready,
        "modules": modules,
        "provision": "ok" if not doors else f"run manage.py provision; not callable: {', '.join(doors)}",
        "redis": _redis_state(),
    }
    return JsonResponse(body, status=200 if ready else 503, json_dumps_params={"indent": 1})


def _module_state(module: str) -> str:
    connection = connections[alias_of(module)]
    try:
        with connection.cursor() as cur:
            cur.execute("select 1")
        if module not in _migrated:
            executor = MigrationExecutor(connection)
            labels = [module] if module in ownership.MODULES else sorted(ownership.PLATFORM_APPS)
            targets = [t for t in executor.loader.graph.leaf_nodes() if t[0] in labels]
            missing = [f"{m.app_label}.{m.name}" for m, _ in executor.migration_plan(targets)]
            if missing:
                return f"run manage.py migrate; missing: {', '.join(missing)}"
            _migrated.add(module)
    except DatabaseError as error:
        return f"does not answer: {str(error).splitlines()[0]}"
    return "ok"


def _missing_doors() -> list[str]:
    """Doors that the map wants and a source's role cannot call."""
    missing = []
    for entity in ownership.ENTITIES:
        for reader in entity.readers:
            for source in entity.sources_of(reader):
                wanted = [f"{reader}.{signature}" for signature in doors.door_signatures(entity)]
                with db.cursor(source) as cur:
                    cur.execute(
                        "select w from unnest(%s::text[]) w "
                        "where not coalesce(has_function_privilege(to_regprocedure(w)::oid, 'execute'), false)",
                        [wanted],
                    )
                    missing += [f"{door} by {source}" for (door,) in cur.fetchall()]
    return missing


def _redis_state() -> str:
    try:
        with Redis.from_url(_redis_url(), socket_timeout=1, socket_connect_timeout=1) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError) as error:
        return f"does not answer: {error}"
    return "ok"


def _redis_url() -> str:
    """The broker's URL in redis-py's spelling."""
    url = str(settings.CELERY_BROKER_URL)
    if url.startswith("redis+socket://"):
        return url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=")
    return url


class _Figures(Collector):
    """Read from PostgreSQL when asked, so that every process tells the same."""

    def collect(self) -> Iterator[Any]:
        """Ages of copies and conflicts met by this process."""
        age = GaugeMetricFamily("erp_copy_age_seconds", "Age of a reader's copy", labels=["entity", "reader"])
        window = GaugeMetricFamily("erp_copy_window_seconds", "Promised age of a copy", labels=["entity", "reader"])
        pending = GaugeMetricFamily("erp_copy_pending_rows", "Rows not confirmed yet", labels=["entity", "reader"])
        attached = GaugeMetricFamily("erp_reader_attached", "1 while attached", labels=["entity", "reader"])
        for pair in positions.all_pairs():
            labels = [pair.entity, pair.reader]
            age.add_metric(labels, float("inf") if pair.age_s is None else pair.age_s)
            window.add_metric(labels, pair.window_s)
            pending.add_metric(labels, pair.pending)
            attached.add_metric(labels, 1 if pair.attached else 0)
        yield from (age, window, pending, attached)
        yield from families()
        conflicts = CounterMetricFamily(
            "erp_write_conflicts", "Conflicts met and retried by this process", labels=["kind"]
        )
        for kind, count in db.counters.items():
            conflicts.add_metric([kind], count)
        yield conflicts


# Described without collecting: registering must not read the database.
_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Figures())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus."""
    try:
        return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError as error:
        return HttpResponse(json.dumps({"error": str(error).splitlines()[0]}), status=503)
