"""Which processes make up a running system, and the connections they may open."""

import os
import sys
from pathlib import Path

from django.conf import settings

from erp import ownership
from erp.schedule import COPIES_QUEUE, OUTSIDE_QUEUE
from erp.supervisor.child import Spec

WEB = "web"
WEB_WORKERS = 2
WEB_THREADS = 6
TASK_PROCESSES = 2
COPY_PROCESSES = 2
OUTSIDE_THREADS = 2
OTHER_PROCESSES = 7  # three Celery parents, beat, the watchdog's two threads, the supervisor


def connection_budget() -> int:
    """Count the connections that all processes may have open at once: aliases × threads × processes."""
    threads = _number("ERP_WEB_WORKERS", WEB_WORKERS) * _number("ERP_WEB_THREADS", WEB_THREADS)
    pool = _number("ERP_POOL_MAX", 0)
    web = _number("ERP_WEB_WORKERS", WEB_WORKERS) * pool if pool else threads
    tasks = _number("ERP_TASK_PROCESSES", TASK_PROCESSES) + _number("ERP_COPY_PROCESSES", COPY_PROCESSES)
    outside = _number("ERP_OUTSIDE_THREADS", OUTSIDE_THREADS)
    return len(ownership.SCHEMAS) * (web + tasks + outside + OTHER_PROCESSES)


def children(home: Path, web_fd: int, card_fd: int | None = None) -> list[Spec]:
    """List the children of a supervisor that already listens on `web_fd`.

    `card_fd`: where the stand-in of a card provider answers; None: it is not wanted.
    """
    python = sys.executable
    manage = str(Path(__file__).resolve().parents[2] / "manage.py")
    cards = []
    if card_fd is not None:
        cards = [Spec("cards", [python, manage, "card_standin", "--fd", str(card_fd)], passed_fds=(card_fd,))]
    return [
        Spec(WEB, _web(python, home, web_fd), passed_fds=(web_fd,)),
        Spec(
            "worker",
            _worker(python, "tasks", ",".join(ownership.SCHEMAS), _number("ERP_TASK_PROCESSES", TASK_PROCESSES)),
        ),
        # Copies have processes of their own, so that no business task can make a copy late.
        Spec("copies", _worker(python, "copies", COPIES_QUEUE, _number("ERP_COPY_PROCESSES", COPY_PROCESSES))),
        # A service that hangs holds up calls to outside services only; they wait, so threads are enough.
        Spec(
            "outside",
            _worker(python, "outside", OUTSIDE_QUEUE, _number("ERP_OUTSIDE_THREADS", OUTSIDE_THREADS), pool="threads"),
        ),
        Spec(
            "beat", [python, "-m", "celery", "-A", "erp.celery", "beat", "--max-interval", "1", "--loglevel", "WARNING"]
        ),
        Spec("watchdog", [python, manage, "watchdog"]),
        *[Spec(name, [python, manage, *command]) for name, command in settings.LOCAL_SERVICES],
        *cards,
    ]


def _web(python: str, home: Path, web_fd: int) -> list[str]:
    return [
        python, "-m", "gunicorn", "erp.wsgi:application",
        "--bind", f"fd://{web_fd}",
        "--worker-class", "gthread",
        "--workers", str(_number("ERP_WEB_WORKERS", WEB_WORKERS)),
        "--threads", str(_number("ERP_WEB_THREADS", WEB_THREADS)),
        "--timeout", "60",
        "--keep-alive", "75",  # longer than proxies and browsers keep a connection: never closed under a request
        "--graceful-timeout", "10",
        "--preload",  # imports once for all workers; connections open later, in each worker
        "--no-control-socket",
        "--log-level", "warning",
        "--access-logfile", str(home / "log" / "access.log"),
    ]  # fmt: skip


def _worker(python: str, name: str, queues: str, processes: int, pool: str = "prefork") -> list[str]:
    return [
        python, "-m", "celery", "-A", "erp.celery", "worker",
        "--hostname", f"{name}@%h",
        "--queues", queues,
        "--concurrency", str(processes),
        "--pool", pool,
        "--prefetch-multiplier", "1",
        "-O", "fair",
        "--without-gossip",
        "--without-mingle",
        "--loglevel", "WARNING",
    ]  # fmt: skip


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)
