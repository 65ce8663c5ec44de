"""Django app of the Finance module."""

from django.apps import AppConfig


class FinanceConfig(AppConfig):
    """Finance."""

    name = "finance"
    verbose_name = "Finance"

    def ready(self) -> None:
        """Register what the platform looks up across modules."""
        from finance import registration

        registration.register()
