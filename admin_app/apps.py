"""Django app of the Admin module."""

from django.apps import AppConfig


class AdminAppConfig(AppConfig):
    """Admin."""

    name = "admin_app"
    verbose_name = "Admin"

    def ready(self) -> None:
        """Register what the platform looks up across modules."""
        from admin_app import registration

        registration.register()
