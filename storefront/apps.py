"""Django app of the Storefront module."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Storefront."""

    name = "storefront"
    verbose_name = "Storefront"

    def ready(self) -> None:
        """Register what the platform looks up across modules."""
        from storefront import registration

        registration.register()
