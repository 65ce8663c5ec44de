"""Django app of the Logistics module."""

from django.apps import AppConfig


class LogisticsConfig(AppConfig):
    """Logistics."""

    name = "logistics"
    verbose_name = "Logistics"

    def ready(self) -> None:
        """Register what the platform looks up across modules."""
        from logistics import registration

        registration.register()
