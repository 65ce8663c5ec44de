"""Admin of a reader's copy: read-only, with its owner, its age, and the way to the owner's own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from unfold.admin import ModelAdmin

from erp import ownership
from erp.freshness import Age, copy_age
from erp.publishing import copy_model, owner_model
from erp.staff.amounts import AmountColumns, with_amounts
from erp.staff.journal import JournalHistory

_LISTED = frozenset({"CharField", "DateField", "BooleanField", "IntegerField", "BigIntegerField", "DecimalField"})


@dataclass(frozen=True)
class CopyBanner:
    """What stands above every page of a copy."""

    entity: ownership.Entity
    owner: str
    reader: str
    age: Age
    owner_url: str


class ReadOnlyAdmin(AmountColumns, JournalHistory, ModelAdmin):  # type: ignore[misc]
    """Nothing can be added, changed or deleted here."""

    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class CopyAdmin(ReadOnlyAdmin):
    """List and detail of a copy; the banner says who owns it and how old it is."""

    change_form_before_template = "erp/admin/copy_banner.html"
    list_before_template = "erp/admin/copy_banner.html"
    ordering = ("-id",)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """The copy's plain columns when the module did not choose."""
        if tuple(self.list_display) != ("__str__",):
            return list(super().get_list_display(request))
        named = [f.name for f in self.model._meta.concrete_fields if f.get_internal_type() in _LISTED]
        return with_amounts(
            self.model, ["__str__", *[name for name in named if name not in {"id", "tick"}][:7]], is_list=True
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, below its banner."""
        return super().changelist_view(request, {**(extra_context or {}), "copy_banner": self.banner()})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """One row, below its banner."""
        banner = self.banner(object_id)
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "copy_banner": banner})

    def banner(self, key: str | None = None) -> CopyBanner:
        """Owner, age and the owner's page of this copy, or of one row of it."""
        entity = ownership.entity(self.model.entity)
        reader = self.opts.app_label
        labels = ownership.MODULE_LABELS
        return CopyBanner(
            entity, labels[entity.owner], labels[reader], copy_age(entity.name, reader), owner_page(entity.name, key)
        )


def owner_page(entity: str, key: object = None) -> str:
    """Admin page on which an entity, or one row of it, is written; empty when the owner has none."""
    try:
        meta = owner_model(entity)._meta
        if key is None:
            return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[key])
    except (LookupError, NoReverseMatch):
        return ""


def register_copies(reader: str, **admins: type[CopyAdmin]) -> None:
    """Register every copy that ``reader`` holds; ``admins`` names an own admin per entity."""
    for entity in ownership.entities_read_by(reader):
        model = copy_model(entity.name, reader)
        # The plural of a copy is that of what it copies; Django would put an s behind the bracket.
        model._meta.verbose_name_plural = f"{owner_model(entity.name)._meta.verbose_name_plural} (copy)"
        admin.site.register(model, admins.get(entity.name, CopyAdmin))
