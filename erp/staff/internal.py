"""Admin of a module's internal tables: read-only unless the module says that staff may edit them."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from erp.db import after_commit, module_transaction
from erp.staff.amounts import AmountColumns
from erp.staff.copies import ReadOnlyAdmin


class InternalAdmin(ReadOnlyAdmin):
    """A table that services write; staff read it."""


class EditableAdmin(AmountColumns, ModelAdmin):  # type: ignore[misc]
    """A plain internal table (e.g. warehouses) that staff edit; rows in use are protected by their relations."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Log after the commit: the log lives on another alias than the row."""
        after_commit(self.opts.app_label, lambda: super(EditableAdmin, self).log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Log after the commit: the log lives on another alias than the row."""
        after_commit(self.opts.app_label, lambda: super(EditableAdmin, self).log_change(request, obj, message))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No mass deletion."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}


class RelayItemAdmin(InternalAdmin):
    """Work that follows a commit: what waits, what is stuck, and a way to try again."""

    list_display = ("kind", "key", "state", "attempts", "next_at", "done_at", "last_error")
    list_filter = ("state", "kind")
    search_fields = ("key",)
    ordering = ("-id",)
    actions = ("try_again",)

    @admin.action(description="Try again now")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put work that is not done back in the line."""
        module = self.opts.app_label
        if not request.user.has_perm(f"erp.duty_{module}"):
            self.message_user(request, "This needs the duty of the module.", messages.ERROR)
            return
        with module_transaction(module):
            count = queryset.exclude(state="done").update(state="waiting", next_at=timezone.now())
        self.message_user(request, f"Waiting again: {count}.", messages.SUCCESS)


class IdempotencyKeyAdmin(InternalAdmin):
    """Answers that were given to Idempotency-Keys."""

    list_display = ("key", "scope", "status", "created_at")
    search_fields = ("key",)
    ordering = ("-id",)


def register_standard(module: str) -> None:
    """Register a module's relay and idempotency keys."""
    admin.site.register(apps.get_model(module, "RelayItem"), RelayItemAdmin)
    admin.site.register(apps.get_model(module, "IdempotencyKey"), IdempotencyKeyAdmin)
