"""The PostgreSQL cluster of a home, and further ones beside it for tests and benchmarks."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from erp.embedded.binaries import reachable
from erp.embedded.cluster import Cluster
from erp.embedded.layout import Layout, locate
from erp.files import write_private

PORT = 5432


def cluster_at(
    layout: Layout, password: str, *, port: int = PORT, listen: str = "", options: Sequence[str] = ()
) -> Cluster:
    """Describe the cluster of a layout, which must have been prepared."""
    binaries = reachable(layout.account, layout.binaries).postgres
    return Cluster(layout.postgres, layout.sockets, port, listen, layout.account, password, binaries, tuple(options))


def start_cluster(directory: Path, *, port: int | None = None, options: Sequence[str] = ()) -> Cluster:
    """Start an independent cluster, for tests and benchmarks; with a port it also listens on 127.0.0.1.

    `directory` is used like a home; `options` are settings such as "fsync=off". End with the cluster's `stop`, then
    `erp.embedded.destroy(directory)` when its data may go.
    """
    layout = locate(directory)
    layout.prepare()
    password_file = layout.home / "password"
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(24))
    cluster = cluster_at(
        layout,
        password_file.read_text(encoding="utf-8"),
        port=port or PORT,
        listen="127.0.0.1" if port else "",
        options=options,
    )
    cluster.ensure_running()
    return cluster
