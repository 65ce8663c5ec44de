"""Form of a product in the admin: its own fields, and its pictures to add, to take away and to put first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import cached_property
from django.utils.html import format_html

from admin_app.services.pictures import MAX_PICTURES, PictureRefused, pictures_of, store_picture
from erp.staff.forms import OwnedForm

_SMALL = "display: inline-block; width: 5rem; height: 5rem; margin: .25rem; border-radius: 6px; object-fit: cover"
_HELPERS = ("new_pictures", "remove_pictures", "first_picture")


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _PicturesField(forms.FileField):
    """Any number of uploaded files; each is checked and kept, the value is their addresses."""

    widget = _ManyFiles(attrs={"accept": "image/jpeg,image/png,image/webp"})

    def clean(self, data: Any, initial: Any = None) -> list[str]:
        """Addresses of the kept pictures; what is wrong with the others is said by name."""
        files: Sequence[UploadedFile[Any]] = data if isinstance(data, list | tuple) else [data] if data else []
        kept, errors = [], []
        for file in files:
            try:
                kept.append(store_picture(file, file.name or "The file", file.size or 0))
            except PictureRefused as refused:
                errors.append(refused.message)
        if errors:
            raise forms.ValidationError(errors)
        return kept


class ProductForm(OwnedForm):
    """The product's pictures are ``image`` (the first one) and ``images`` (the others)."""

    new_pictures = _PicturesField(
        required=False, label="Add pictures",
        help_text=f"JPEG, PNG or WebP, up to 8 MB each, at least 200 × 200 pixels; up to {MAX_PICTURES} per product.",
    )  # fmt: skip
    remove_pictures = forms.MultipleChoiceField(required=False, label="Take away", widget=forms.CheckboxSelectMultiple)
    first_picture = forms.ChoiceField(required=False, label="Shown first", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = pictures_of(self.instance)
        choices = [
            (url, format_html('<img src="{}" alt="Picture {}" style="{}" loading="lazy">', small(url), n, _SMALL))
            for n, url in enumerate(self.before, 1)
        ]
        for name in ("remove_pictures", "first_picture"):
            if name not in self.fields:
                continue
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
            if not choices:
                field.widget = forms.HiddenInput()
        if choices and "first_picture" in self.fields:
            self.fields["first_picture"].initial = self.before[0]

    def clean(self) -> dict[str, Any]:
        """Turn the three picture fields into ``image`` and ``images``."""
        data: dict[str, Any] = super().clean() or {}
        added, removed = data.pop("new_pictures", None) or [], data.pop("remove_pictures", None) or []
        first = data.pop("first_picture", "")
        urls = [url for url in dict.fromkeys([*self.before, *added]) if url not in removed]
        if first in urls:
            urls = [first, *(url for url in urls if url != first)]
        if len(urls) > MAX_PICTURES:
            self.add_error("new_pictures", f"A product has up to {MAX_PICTURES} pictures; this would make {len(urls)}.")
        if urls != self.before:
            data["image"], data["images"] = (urls or [""])[0], urls[1:]
        return data

    @cached_property
    def changed_data(self) -> list[str]:
        """Changed fields of the product; the helpers count as the fields that they change."""
        changed = [name for name in super().changed_data if name not in _HELPERS]
        return [*changed, *(name for name in ("image", "images") if name in getattr(self, "cleaned_data", {}))]


def small(url: str) -> str:
    """Address of the thumbnail of one of our own pictures; a foreign address as it is."""
    return url.replace("-1200.webp", "-480.webp") if url.startswith("/media/products/") else url
