"""Admin of an entity at its owner: the form and its inlines become ONE call of the owner's serializer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from unfold.admin import ModelAdmin

from erp import ownership
from erp.serializers import OwnerSerializer
from erp.staff.amounts import AmountColumns
from erp.staff.forms import OwnedForm, OwnerRefused, refused_by
from erp.staff.journal import JournalHistory


class RetiredFilter(admin.SimpleListFilter):
    """In use (the default), retired, or both."""

    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices beside the default."""
        return [("retired", "Retired"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """The default is named: rows in use."""
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "In use",
        }
        for lookup, title in self.lookup_choices:
            yield {
                "selected": self.value() == str(lookup),
                "query_string": changelist.get_query_string({self.parameter_name: lookup}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of the choice."""
        if self.value() == "all":
            return queryset
        return queryset.filter(retired_at__isnull=self.value() is None)


class _OwnTransactionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Stands between Unfold and Django: no transaction around the view.

    The serializer's transaction must be the outermost one, so that it can be repeated after a deadlock, so
    that a refusal leaves nothing behind, and so that the admin log is written after the commit.
    """

    @method_decorator(csrf_protect)
    def changeform_view(
        self, request: Any, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        """The form; shown again with the input kept when the owner refuses the write."""
        try:
            return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined, no-any-return]
        except OwnerRefused as refused:
            request.owner_refusal = refused.messages
            response: HttpResponse = self._changeform_view(  # type: ignore[attr-defined]
                request, object_id, form_url, extra_context
            )
            response.status_code = refused.status
            if refused.retry_after_s is not None:
                response["Retry-After"] = str(refused.retry_after_s)
            return response


class OwnedAdmin(AmountColumns, JournalHistory, ModelAdmin, _OwnTransactionAdmin):  # type: ignore[misc]
    """List and form of an owned entity; set ``serializer_class``."""

    serializer_class: ClassVar[type[OwnerSerializer[Any]]]
    form = OwnedForm
    actions = ("retire_selected",)
    change_form_before_template = "erp/admin/owned_banner.html"
    warn_unsaved_form = True
    list_filter_submit = False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Whether a row is in use comes last everywhere."""
        return [*super().get_list_filter(request), RetiredFilter]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The version is carried by the form, not shown in it."""
        return [name for name in super().get_fields(request, obj) if name != "expected_version"]

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Form class of this request, told what the owner refused."""
        made = super().get_form(request, obj, change=change, **kwargs)
        return type(made.__name__, (made,), {"refusal": getattr(request, "owner_refusal", None)})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Owned rows are never deleted; they are retired."""
        return False

    def get_serializer(self, row: Any, data: dict[str, Any], version: int | None, change: bool) -> OwnerSerializer[Any]:
        """Serializer that writes the form."""
        return self.serializer_class(row if change else None, data=data, partial=change, expected_version=version)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: form and inlines are written together in :meth:`save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write the form and its inlines by one call of the owner's serializer."""
        data = dict(form.cleaned_data)
        version = data.pop("expected_version", None)
        data = {
            name: value.pk if isinstance(value, Model) else value
            for name, value in data.items()
            if not change or name in form.changed_data
        }
        for formset in formsets:
            rows = _rows(formset)
            if not change or formset.has_changed():
                data[_related_name(formset)] = rows
        if change and not data:
            messages.info(request, "Nothing was changed, so nothing was written.")
            return
        try:
            serializer = self.get_serializer(form.instance, data, version, change)
            serializer.is_valid(raise_exception=True)
            saved = serializer.save()
        except Exception as error:
            refused = refused_by(error)
            if refused is None:
                raise
            raise refused from error
        form.instance.pk, form.instance.version = saved.pk, saved.version
        for field in saved._meta.concrete_fields:
            setattr(form.instance, field.attname, getattr(saved, field.attname))
        confirmed = ", ".join(
            f"{ownership.MODULE_LABELS[reader]} (version {v})" for reader, v in sorted(serializer.confirmed.items())
        )
        if confirmed:
            messages.info(request, f"Confirmed by {confirmed}.")

    @admin.action(description="Retire selected rows", permissions=["change"])
    def retire_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take rows out of use, one versioned write each, in key order."""
        done = 0
        for row in queryset.order_by("pk"):
            try:
                self.serializer_class(row).retire()
            except Exception as error:
                refused = refused_by(error)
                if refused is None:
                    raise
                text = "; ".join(m for found in refused.messages.values() for m in found)
                self.message_user(request, f"{row}: {text}", messages.ERROR)
                break
            self.log_change(request, row, "Retired.")
            done += 1
        if done:
            self.message_user(request, f"Retired: {done}.", messages.SUCCESS)


def _related_name(formset: Any) -> str:
    """Name under which the serializer takes the inline's rows."""
    return str(formset.fk.remote_field.get_accessor_name())


def _rows(formset: Any) -> list[dict[str, Any]]:
    """The inline's rows as plain data, in form order; also tells Django's log what changed."""
    rows = []
    formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
    for form in formset.forms:
        is_new = form.instance.pk is None
        if is_new and not form.has_changed():
            continue
        if form.cleaned_data.get("DELETE"):
            if not is_new:
                formset.deleted_objects.append(form.instance)
            continue
        if is_new:
            formset.new_objects.append(form.instance)
        elif form.has_changed():
            formset.changed_objects.append((form.instance, form.changed_data))
        left_out = {"DELETE", formset.fk.name, form._meta.model._meta.pk.name}
        row = {n: v.pk if isinstance(v, Model) else v for n, v in form.cleaned_data.items() if n not in left_out}
        rows.append({**row, "id": form.instance.pk})
    return rows
