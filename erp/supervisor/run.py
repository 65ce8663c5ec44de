"""What `manage.py up` does from start to end."""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from erp import embedded
from erp.environment import Environment
from erp.preflight import check_servers
from erp.supervisor import record, setup, web_port
from erp.supervisor.stopping import end_leftovers
from erp.supervisor.supervisor import NotReady, StopAsked, Supervisor, stop_on_signals

HOST = "127.0.0.1"


class CannotStart(RuntimeError):
    """Why the system does not start, in lines that a person can act on."""


class AlreadyRunning(RuntimeError):
    """Another supervisor of this home runs; the message tells where."""


def run(environment: Environment, *, say: Callable[[str], None], welcome: Callable[[str], str]) -> None:
    """Bring everything up, tell where it is, and keep it up until a signal asks to stop; then stop everything.

    `say` shows a line; `welcome` gives the text shown once the given URL is ready.
    Raises `CannotStart` and `AlreadyRunning`; both leave nothing behind that was not there before.
    """
    with _only_one(environment.home):
        stop_on_signals()
        try:
            _run(environment, say, welcome)
        except StopAsked:
            pass
        finally:
            say("Stopping…")
            if environment.is_embedded or not environment.environ.get("ERP_REDIS_URL"):
                embedded.stop(environment.home)
            say("Stopped.")


def _run(environment: Environment, say: Callable[[str], None], welcome: Callable[[str], str]) -> None:
    missing = check_servers(environment)
    if missing:
        raise CannotStart("\n".join(missing))
    before = record.read_record(environment.home)
    had_leftovers = before is not None and end_leftovers(before)
    record.write_record(environment.home, record.own_record("", {}))
    with _listening(wait_s=5.0 if had_leftovers else 0.0) as listener:
        try:
            ran = setup.prepare(environment, demo=_wants_demo(environment), log=_log(environment.home))
        except setup.SetupFailed as error:
            raise CannotStart(str(error)) from error
        if ran:
            say(f"Set up: {', '.join(ran)}.")
        host, port = listener.getsockname()[:2]
        os.environ.setdefault("ERP_SHOP_URL", f"http://{host}:{port}")  # where links in e-mails lead
        with _card_listener(environment) as card_fd:
            _supervise(Supervisor(environment, listener.fileno(), say, card_fd), host, port, say, welcome)


def _supervise(
    supervisor: Supervisor, host: str, port: int, say: Callable[[str], None], welcome: Callable[[str], str]
) -> None:
    try:
        supervisor.start(host, port)
        say(welcome(f"http://{host}:{port}/"))
        supervisor.watch()
    except NotReady as error:
        raise CannotStart(f"{error}\nlogs: {supervisor.log_dir}") from error
    finally:
        supervisor.stop()


@contextmanager
def _card_listener(environment: Environment) -> Iterator[int | None]:
    """A socket on loopback for the stand-in of a card provider, unless there is a real one or no demo is wanted.

    Sets ERP_CARD_URL, by which every child finds it.
    """
    if os.environ.get("ERP_CARD_URL") or not _wants_demo(environment):
        yield None
        return
    asked = os.environ.get("ERP_CARD_PORT", "")
    with socket.create_server(("127.0.0.1", int(asked) if asked.isdigit() else 0), backlog=128) as listener:
        os.environ["ERP_CARD_URL"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield listener.fileno()


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / record.LOCK).open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = record.read_record(home)
            where = f"at {other.url}" if other and other.url else "and is still starting"
            pid = f" (process {other.supervisor.pid})" if other else ""
            raise AlreadyRunning(f"already running {where}{pid}; `make stop` stops it") from None
        try:
            yield
        finally:
            record.remove_record(home)


@contextmanager
def _listening(wait_s: float) -> Iterator[socket.socket]:
    asked = os.environ.get("ERP_WEB_PORT", "")
    if asked and not (asked.isdigit() and 0 < int(asked) < 65536):
        raise CannotStart(f"ERP_WEB_PORT must be a port number, not {asked!r}")
    host = os.environ.get("ERP_WEB_HOST") or HOST
    try:
        listener = web_port.listen(host, int(asked) if asked else None, wait_s=wait_s)
    except web_port.PortBusy as error:
        raise CannotStart(str(error)) from error
    with listener:
        yield listener


def _wants_demo(environment: Environment) -> bool:
    """Demo people have simple passwords: into a server that is not ours they go only when asked for."""
    return os.environ.get("ERP_DEMO", "1" if environment.is_embedded else "0") == "1"


def _log(home: Path) -> Path:
    (home / "log").mkdir(exist_ok=True)
    return home / "log" / "setup.log"
