"""Duties of staff: Django groups and permissions on the platform's alias, derived from the ownership map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from erp import ownership
from erp.models import CopyModel, OwnedModel

INTEGRATORS = "Integrators"
INTEGRATORS_WRITE = ("customer", "product", "sales_order")
"""Entities that integrators may create and change; they may read every entity and copy."""


def group_name(module: str) -> str:
    """Name of the group whose members have a module's duty."""
    return f"{ownership.MODULE_LABELS[module]} staff"


def duty_permission(module: str) -> str:
    """Permission that stands for a module's duty, as ``has_perm`` wants it."""
    return f"erp.duty_{module}"


def has_duty(user: Any, module: str) -> bool:
    """Whether ``user`` may run the operations of ``module``."""
    return not isinstance(user, AnonymousUser) and bool(user.has_perm(duty_permission(module)))


def sync_duties() -> None:
    """Create content types, permissions and groups of every module; idempotent.

    Django's own handlers run for the alias that is migrated, and ours are several; hence here.
    """
    for config in apps.get_app_configs():
        if config.models_module is not None:
            create_contenttypes(config, verbosity=0, using=DEFAULT_DB_ALIAS)
            create_permissions(config, verbosity=0, using=DEFAULT_DB_ALIAS)
    duties = {module: _duty(module) for module in ownership.MODULES}
    viewable = list(_permissions(_models(ownership.MODULES), ("view",)))
    for module in ownership.MODULES:
        group, _ = Group.objects.get_or_create(name=group_name(module))
        writable = list(_writable(module))
        internal = [m for m in writable if not issubclass(m, OwnedModel)]  # owned rows are retired, never deleted
        granted = [*_permissions(writable, ("add", "change")), *_permissions(internal, ("delete",))]
        group.permissions.set([*viewable, *granted, duties[module]])
    group, _ = Group.objects.get_or_create(name=INTEGRATORS)
    entities = [m for m in _models(ownership.MODULES) if issubclass(m, OwnedModel | CopyModel)]
    written = [m for m in entities if issubclass(m, OwnedModel) and m.entity in INTEGRATORS_WRITE]
    group.permissions.set([*_permissions(entities, ("view",)), *_permissions(written, ("add", "change"))])


def _duty(module: str) -> Permission:
    content_type = ContentType.objects.get_for_model(get_user_model())
    found, _ = Permission.objects.get_or_create(
        content_type=content_type,
        codename=f"duty_{module}",
        defaults={"name": f"Has the duty of {ownership.MODULE_LABELS[module]}"},
    )
    return found


def _models(modules: Iterable[str]) -> Iterator[type[Model]]:
    for module in modules:
        yield from apps.get_app_config(module).get_models()


def _writable(module: str) -> Iterator[type[Model]]:
    """Models of a module that its staff may add to and change: owned entities and plain internal tables."""
    append_only = {i.table for i in ownership.INTERNAL[module] if i.append_only}
    append_only |= {e.table for e in ownership.entities_written_by(module) if e.append_only}
    platform = {i.table for i in ownership.STANDARD} | set(ownership.REPLICA_TABLES)
    for model in _models([module]):
        if not issubclass(model, CopyModel) and model._meta.db_table not in append_only | platform:
            yield model


def _permissions(models: Iterable[type[Model]], verbs: tuple[str, ...]) -> list[Permission]:
    wanted = {
        (ContentType.objects.get_for_model(model, for_concrete_model=False).pk, f"{verb}_{model._meta.model_name}")
        for model in models
        for verb in verbs
    }
    found = Permission.objects.filter(content_type__in={c for c, _ in wanted})
    return [p for p in found if (p.content_type_id, p.codename) in wanted]
