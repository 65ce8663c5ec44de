"""One Valkey server on a unix socket, started from its plain binary with a configuration of ours."""

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from erp.embedded import processes
from erp.embedded.accounts import Account
from erp.embedded.binaries import reachable
from erp.embedded.errors import EmbeddedError, ServerDidNotStart
from erp.embedded.layout import Layout

READY_S = 120.0
CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {data}
pidfile {pid_file}
logfile {log}
daemonize yes
databases 16
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
requirepass {password}
"""


@dataclass(frozen=True)
class Valkey:
    """A Valkey server with a directory of its own. Callers of `ensure_running` and `stop` hold the home's lock."""

    directory: Path  # holds data/, valkey.conf, server.log
    socket: Path
    account: Account
    password: str = field(repr=False)
    binary: Path

    def pid(self) -> int | None:
        """Give the pid of the running server, None when there is none; a recycled pid does not count."""
        try:
            pid = int((self.directory / "valkey.pid").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(processes.command_of(pid)) else None

    def is_ready(self) -> bool:
        """Say whether the server answers, has loaded its data and takes our password."""
        return self.pid() is not None and self._ask(f"AUTH {self.password}\r\nPING\r\n").split() == [
            "+OK",
            "+PONG",
        ]

    def ensure_running(self) -> None:
        """Start; recovers from a killed server and stale files, moves unloadable data aside. A repeat does nothing."""
        if self.is_ready():
            return
        self.stop()
        if not self._start():
            # Every task is a row in PostgreSQL first, so broken data here must not keep us down.
            data = self.directory / "data"
            data.rename(data.with_name(f"data-not-loadable-{int(time.time())}"))
            if not self._start():
                raise ServerDidNotStart(f"Valkey did not start: {self._log_tail()}")

    def stop(self) -> None:
        """Stop the server and wait until it is gone; a stopped one stays so."""
        # All of them: a server whose pid file was lost would keep writing the same data.
        for pid, command in processes.list_commands():
            if self._is_ours(command) and not processes.end(pid, self._is_ours):
                raise EmbeddedError(f"Valkey (pid {pid}) does not stop; its log is {self.directory / 'server.log'}")

    def _start(self) -> bool:
        data = self.account.own(self.directory / "data")
        for stale in (self.socket, self.directory / "valkey.pid"):
            stale.unlink(missing_ok=True)
        configuration = self.directory / "valkey.conf"
        text = CONFIGURATION.format(
            socket=_quoted(self.socket),
            data=_quoted(data),
            pid_file=_quoted(self.directory / "valkey.pid"),
            log=_quoted(self.directory / "server.log"),
            password=self.password,
        )
        self.account.write(configuration, text)
        done = self.account.run([self.binary, configuration], cwd=self.directory)
        if done.returncode:
            return False
        # Loading may take long; a server that cannot load its data is gone at once.
        processes.wait_until(lambda: self.is_ready() or not self._any_process(), READY_S)
        return self.is_ready()

    def _any_process(self) -> bool:
        return any(self._is_ours(command) for _, command in processes.list_commands())

    def _is_ours(self, command: str | None) -> bool:
        # Valkey puts the socket's path into its title; before that its arguments name our configuration file.
        return (
            command is not None
            and "valkey-server" in command
            and (f"unixsocket:{self.socket}" in command or str(self.directory / "valkey.conf") in command)
        )

    def _ask(self, request: str) -> str:
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(5)
                link.connect(str(self.socket))
                link.sendall(request.encode())
                while answer.count(b"\r\n") < request.count("\r\n") and (part := link.recv(4096)):
                    answer += part
        except OSError:
            return ""
        return answer.decode(errors="replace")

    def _log_tail(self) -> str:
        log = self.directory / "server.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "it left no log"


def valkey_at(layout: Layout, password: str) -> Valkey:
    """Describe the Valkey server of a layout, which must have been prepared."""
    return Valkey(
        layout.valkey,
        layout.redis_socket,
        layout.account,
        password,
        reachable(layout.account, layout.binaries).valkey,
    )


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
