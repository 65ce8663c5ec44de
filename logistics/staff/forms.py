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

from logistics.models import ProductCopy, Warehouse


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
        stocked = ProductCopy.objects.filter(is_stocked=True)
        found = stocked.filter(sku__iexact=text).first() or stocked.filter(barcode=text).first()
        if found is None:
            raise forms.ValidationError(f"No stocked product has the SKU or barcode {text}.")
        return found


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


class InspectionForm(forms.Form):
    """What becomes of one returned line."""

    line_no = forms.IntegerField(widget=forms.HiddenInput)
    restock = _whole(minimum=0, label="Restock")
    scrap = _whole(minimum=0, label="Scrap")
