"""PostgreSQL and Valkey from wheels, run by ourselves: no root, no Docker, no network ports. Standard library only."""

from erp.embedded.errors import EmbeddedError, PlaceNotUsable, ServerDidNotStart
from erp.embedded.services import Services, Status, describe, destroy, ensure, socket_dir, status, stop, stop_if_idle

__all__ = [
    "EmbeddedError",
    "PlaceNotUsable",
    "ServerDidNotStart",
    "Services",
    "Status",
    "describe",
    "destroy",
    "ensure",
    "socket_dir",
    "status",
    "stop",
    "stop_if_idle",
]
