"""Database router that follows the ownership map and raises for what the map does not know."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from erp import ownership


class OwnershipRouter:
    """One alias per module; a model's alias is its app's module.

    Raises ownership.UnknownEntity for an app the map does not name: answering None would let the
    query fall through to ``default``.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Alias of the module that holds the model's table."""
        return ownership.alias_of(ownership.module_of_app(model._meta.app_label))

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Alias of the module that holds the model's table."""
        return ownership.alias_of(ownership.module_of_app(model._meta.app_label))

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        """Whether two objects may be related: within one module only."""
        return ownership.module_of_app(obj1._meta.app_label) == ownership.module_of_app(obj2._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """Whether an app's migrations run on ``db``; answered by label so that RunSQL works too."""
        return ownership.alias_of(ownership.module_of_app(app_label)) == db
