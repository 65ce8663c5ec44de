"""What this module registers with the platform."""


def register() -> None:
    """Register checks, relays, widgets and periodic tasks of this module."""
