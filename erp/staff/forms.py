"""Form of an owned row in the admin: carries the version it was loaded at, and shows what the owner refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from psycopg import errors as pg
from rest_framework.exceptions import ValidationError

from erp.db import sqlstate_error
from erp.errors import ErpError

Messages = dict[str | None, list[str]]
"""Form field (None: the whole form) → messages."""


class OwnerRefused(Exception):
    """The owner's serializer did not take the form; the form is shown again with its input."""

    def __init__(self, messages: Messages, status: int, retry_after_s: int | None = None) -> None:
        self.messages, self.status, self.retry_after_s = messages, status, retry_after_s
        super().__init__(messages)


class OwnedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Model form whose write is the owner's serializer; ``expected_version`` makes the write conditional."""

    refusal: ClassVar[Messages | None] = None

    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "expected_version" in self.fields:
            self.fields["expected_version"].initial = self.instance.version

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for field, messages in (self.refusal or {}).items():
            for message in messages:
                self.add_error(field if field in self.fields else None, message)


def refused_by(error: Exception) -> OwnerRefused | None:
    """What a form shows for an error of the owner; None for an error that is nobody's input."""
    if isinstance(error, ValidationError):
        return OwnerRefused(_by_field(error.detail), 200)
    if isinstance(error, DjangoValidationError):
        return OwnerRefused({None: list(error.messages)}, 200)
    if isinstance(error, ErpError):
        return OwnerRefused({None: [error.message]}, error.status, getattr(error, "retry_after_s", None))
    if isinstance(error, IntegrityError):
        cause = sqlstate_error(error)
        if isinstance(cause, pg.UniqueViolation):
            return OwnerRefused({None: [f"Already taken. {cause.diag.message_detail or ''}".strip()]}, 409)
        if isinstance(cause, pg.CheckViolation):
            return OwnerRefused({None: [f"The values break the rule {cause.diag.constraint_name}."]}, 409)
    return None


def _by_field(detail: Any) -> Messages:
    if not isinstance(detail, Mapping):
        return {None: list(_flat(detail))}
    return {(None if name == "non_field_errors" else str(name)): list(_flat(value)) for name, value in detail.items()}


def _flat(detail: Any) -> Iterator[str]:
    if isinstance(detail, Mapping):
        for name, value in detail.items():
            yield from (f"{name}: {message}" for message in _flat(value))
    elif isinstance(detail, list | tuple):
        for value in detail:
            yield from _flat(value)
    else:
        yield str(detail)
