"""Forms of the warehouse: a head, and rows that name products by SKU or barcode."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from erp.errors import NotFound
from logistics.models import Warehouse
from logistics.staff.scanning import find_product


def _whole(*, minimum: int | None = None, label: str = "Pieces") -> forms.IntegerField:
    return forms.IntegerField(min_value=minimum, label=label, widget=UnfoldAdminIntegerFieldWidget)


class ProductField(forms.CharField):
    """A stocked product by SKU or barcode; cleans to the product."""

    widget = UnfoldAdminTextInputWidget

    def clean(self, value: Any) -> Any:
        """The product, or an error that says what was not found."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return find_product(text)
        except NotFound as error:
            raise forms.ValidationError(error.message) from error


class WarehouseField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the warehouses."""

    widget = UnfoldAdminSelectWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Warehouse.objects.all(), empty_label=None, **kwargs)


class HeadForm(forms.Form):
    """Warehouse, date, and the key under which the form is booked once however often it is sent."""

    key = forms.CharField(widget=forms.HiddenInput)
    warehouse = WarehouseField()
    on = forms.DateField(label="Date", widget=UnfoldAdminSingleDateWidget, initial=lambda: timezone.now().date())


class ReceiptHead(HeadForm):
    """A delivery."""

    supplier_ref = forms.CharField(
        required=False, max_length=80, label="Delivery note no.", widget=UnfoldAdminTextInputWidget
    )


class AdjustmentHead(HeadForm):
    """A correction or scrap."""

    kind = forms.ChoiceField(
        choices=[("adjustment", "Correction (signed pieces)"), ("scrap", "Scrap (pieces taken away)")],
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


class TransferHead(HeadForm):
    """From one warehouse to another."""

    warehouse = WarehouseField(label="From")
    target = WarehouseField(label="To")


class Row(forms.Form):
    """A product and a number of pieces."""

    product = ProductField(label="SKU or barcode")
    quantity = _whole(minimum=1)


class ReceiptRow(Row):
    """Goods that arrived."""

    unit_cost = forms.DecimalField(
        required=False, min_value=0, max_digits=19, decimal_places=6, label="Cost per piece",
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip


class AdjustmentRow(Row):
    """A signed change."""

    quantity = _whole()


class CountRow(Row):
    """Pieces found."""

    quantity = _whole(minimum=0, label="Counted")


class ReorderHead(forms.Form):
    """For which warehouse."""

    key = forms.CharField(widget=forms.HiddenInput)
    warehouse = WarehouseField()


class ReorderRow(forms.Form):
    """From which level on a product is bought again, and up to how many."""

    product = ProductField(label="SKU or barcode")
    level = _whole(minimum=0, label="Reorder below (0: never)")
    target = forms.IntegerField(min_value=0, required=False, label="Fill up to", widget=UnfoldAdminIntegerFieldWidget)


class OpenCountForm(forms.Form):
    """Which part of a warehouse is counted."""

    key = forms.CharField(widget=forms.HiddenInput)
    warehouse = WarehouseField()
    on = forms.DateField(label="Date", widget=UnfoldAdminSingleDateWidget, initial=lambda: timezone.now().date())
    scope = forms.ChoiceField(
        label="What is counted",
        choices=[
            ("all", "Everything that lies there"),
            ("prefix", "Products whose SKU begins with…"),
            ("scan", "An empty sheet: scan the products"),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    begins_with = forms.CharField(
        required=False, max_length=60, label="Beginning of the SKU", widget=UnfoldAdminTextInputWidget
    )

    def sku_prefix(self) -> str | None:
        """What the service wants: a beginning, empty for everything, None for an empty sheet."""
        chosen = self.cleaned_data["scope"]
        return None if chosen == "scan" else self.cleaned_data["begins_with"] if chosen == "prefix" else ""


class TrackingForm(forms.Form):
    """Who carries a parcel."""

    carrier = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget)
    tracking_number = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)


class PackForm(forms.Form):
    """The parcel as a whole."""

    parcels = forms.IntegerField(min_value=1, max_value=999, initial=1, widget=UnfoldAdminIntegerFieldWidget)
    weight_g = forms.IntegerField(
        min_value=0, max_value=2_000_000_000, required=False, label="Weight in grams",
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    carrier = forms.CharField(required=False, max_length=60, widget=UnfoldAdminTextInputWidget)
    tracking_number = forms.CharField(required=False, max_length=80, widget=UnfoldAdminTextInputWidget)


class PlanForm(forms.Form):
    """From where a part of an order is sent."""

    warehouse = forms.ModelChoiceField(
        queryset=Warehouse.objects.all(), required=False, empty_label="Wherever it is reserved",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip


class InspectionForm(forms.Form):
    """What becomes of one returned line."""

    line_no = forms.IntegerField(widget=forms.HiddenInput)
    restock = _whole(minimum=0, label="Restock")
    scrap = _whole(minimum=0, label="Scrap")
