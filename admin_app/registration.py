"""What this module registers with the platform."""

from __future__ import annotations

from erp.registry import PeriodicTask, StaffPage, Widget, registry


def register() -> None:
    """Register checks, relays, widgets and periodic tasks of this module."""
    registry.periodic_tasks.append(
        PeriodicTask("pictures no product shows", "admin_app.sweep_pictures", "admin_app", crontab=("50", "2"))
    )
    registry.staff_pages += [
        StaffPage("admin_app", "Trial balance", "report-trial-balance"),
        StaffPage("admin_app", "Sales", "report-sales"),
        StaffPage("admin_app", "Margin", "report-margin"),
        StaffPage("admin_app", "Receivables by age", "report-receivables"),
    ]
    registry.widgets += [
        Widget("admin_app", "Customers", _customers, "admin:admin_app_customer_changelist"),
        Widget("admin_app", "Products", _products, "admin:admin_app_product_changelist"),
    ]


def _customers() -> str:
    from admin_app.models import Customer

    return f"{Customer.objects.filter(retired_at__isnull=True).count():,}"


def _products() -> str:
    from admin_app.models import Product

    return f"{Product.objects.filter(retired_at__isnull=True).count():,}"
