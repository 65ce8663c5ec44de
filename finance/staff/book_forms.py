"""Forms of periods, recurring entries, attachments and the chart."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from finance.models import RecurringEntry


class RecurringForm(forms.ModelForm):  # type: ignore[type-arg]
    """Head of a recurring entry."""

    class Meta:
        model = RecurringEntry
        fields = ("name", "text", "journal", "every", "day", "starts_on", "ends_on")
        widgets = {
            "name": UnfoldAdminTextInputWidget,
            "text": UnfoldAdminTextInputWidget,
            "journal": UnfoldAdminSelectWidget,
            "every": UnfoldAdminSelectWidget,
            "day": UnfoldAdminIntegerFieldWidget,
            "starts_on": UnfoldAdminSingleDateWidget,
            "ends_on": UnfoldAdminSingleDateWidget,
        }


class FileForm(forms.Form):
    """One file."""

    file = forms.FileField(label="File", widget=UnfoldAdminFileFieldWidget)
