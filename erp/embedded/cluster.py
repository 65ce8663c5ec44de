"""One PostgreSQL cluster run from plain binaries: initialise, start, recover, stop. SQL goes through psql."""

import hashlib
import os
import shlex
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from erp.embedded import processes
from erp.embedded.accounts import Account
from erp.embedded.binaries import installed
from erp.embedded.errors import EmbeddedError, ServerDidNotStart

SUPERUSER = "postgres"
READY_S = 120.0
LOG_LIMIT_BYTES = 20_000_000
SETTINGS = (
    "max_connections=300",
    "shared_buffers=256MB",
    "effective_cache_size=1GB",
    "max_locks_per_transaction=128",
    "wal_compression=on",
    "min_wal_size=256MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "random_page_cost=1.1",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "unix_socket_permissions=0700",
)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster in a directory of its own. Callers of `ensure_running` and `stop` hold the home's lock."""

    directory: Path  # holds data/ and server.log
    sockets: Path
    port: int
    listen: str  # value of listen_addresses; empty for sockets only
    account: Account
    password: str = field(repr=False)
    binaries: Path
    options: tuple[str, ...] = ()  # further `-c` settings

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def name(self) -> str:
        """Cluster name: stands in the title of every server process and so proves that one is ours."""
        return "erp-" + hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    def postmaster(self) -> int | None:
        """Give the pid of the running server, None when there is none; a recycled pid does not count."""
        lines = self._pid_file()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        return pid if self._is_postmaster(processes.command_of(pid)) else None

    def is_ready(self) -> bool:
        """Say whether the server runs, has finished recovery and answers on its socket."""
        if not self._says_ready() or self.postmaster() is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.sockets / f".s.PGSQL.{self.port}")) == 0

    def ensure_running(self) -> None:
        """Initialise and start; recovers from a killed server and stale files. A repeat does nothing."""
        if self.is_ready() and self._password_is_current():
            return
        self._initialise()
        if self.postmaster() is not None:
            # Starting or in recovery: wait. Socket deleted, or password to change: only a restart helps.
            processes.wait_until(lambda: self._says_ready() or self.postmaster() is None, READY_S)
            if self._password_is_current() and self.is_ready():
                return
            self.stop()
        self._end_orphans()
        self._renew_password()
        self._start()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and wait until it is gone; a stopped one stays so."""
        if (pid := self.postmaster()) is None:
            return
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")
        if not processes.end(pid, self._is_postmaster, first=signal.SIGQUIT, grace_s=10):
            raise EmbeddedError(f"PostgreSQL (pid {pid}) does not stop; its log is {self.directory / 'server.log'}")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser, one transaction per statement; returns rows, unaligned. Raises `EmbeddedError`."""
        done = subprocess.run(
            [
                installed().postgres / "psql",
                "-h",
                self.sockets,
                "-p",
                str(self.port),
                "-U",
                SUPERUSER,
                "-d",
                database,
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
            ],
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PGPASSWORD": self.password,
                "PGCONNECT_TIMEOUT": "30",
            },
            input=statement,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise EmbeddedError(f"SQL failed on the embedded PostgreSQL: {done.stderr.strip()}")
        return done.stdout.strip()

    def create_database(self, database: str) -> None:
        """Create a database closed to PUBLIC, if missing; the maintenance databases are closed as well."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
            self.sql(f'CREATE DATABASE "{database}"')
        for each in ("postgres", "template1", database):
            self.sql(f'REVOKE ALL ON DATABASE "{each}" FROM PUBLIC')

    def _initialise(self) -> None:
        if self._stamp.exists():
            return
        if self.data.exists():
            # An initdb that was killed leaves no stamp. Nothing of value should be in there, but it is not ours to say.
            self.data.rename(self.data.with_name(f"data-unfinished-{int(time.time())}"))
        password_file = self.directory / "initial-password"
        self.account.write(password_file, self.password + "\n")
        locale = ("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")
        done = self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            *locale,
        )
        password_file.unlink()
        if done.returncode:
            raise ServerDidNotStart(f"initdb failed: {done.stdout.strip()}")
        self.account.write(self._stamp, self._digest)

    def _start(self) -> None:
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(f".s.PGSQL.{self.port}*")):
            stale.unlink(missing_ok=True)
        log = self.directory / "server.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        settings = (
            *SETTINGS,
            f"cluster_name={self.name}",
            f"listen_addresses={self.listen}",
            f"port={self.port}",
            *self.options,
        )
        # pg_ctl goes through a shell with its own weak quoting, so it gets relative paths.
        options = shlex.join(["-k", str(self.sockets), *(part for setting in settings for part in ("-c", setting))])
        done = self._run("pg_ctl", "-D", "data", "-w", "-t", str(int(READY_S)), "-l", log.name, "-o", options, "start")
        if done.returncode or not processes.wait_until(self.is_ready, 5):
            tail = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
            raise ServerDidNotStart("\n".join(["PostgreSQL did not start:", done.stdout.strip(), *tail]))

    def _end_orphans(self) -> None:
        """End backends that outlived a killed postmaster: they hold its memory, and a new one would refuse to start."""
        for pid, command in processes.list_commands():
            if self._is_backend(command):
                processes.end(pid, self._is_backend, first=signal.SIGQUIT, grace_s=5)

    def _renew_password(self) -> None:
        """Set the superuser's password in single-user mode when the secrets were replaced since the last start."""
        if self._password_is_current():
            return
        said = ""

        def renewed() -> bool:
            nonlocal said
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            done = self.account.run(
                [self.binaries / "postgres", "--single", "-D", self.data, "postgres"],
                cwd=self.directory,
                stdin=f"ALTER ROLE {SUPERUSER} PASSWORD '{self.password}'\n",
            )
            said = done.stdout.strip()[-500:]
            if done.returncode and "shared memory block" in said:
                self._end_orphans()  # a killed server's backend is still on its way out
                return False
            return True

        if not processes.wait_until(renewed, READY_S, every_s=0.5) or "FATAL" in said:
            raise EmbeddedError(f"the superuser's password could not be renewed: {said}")
        self.account.write(self._stamp, self._digest)

    @property
    def _stamp(self) -> Path:
        return self.directory / "initialised"

    @property
    def _digest(self) -> str:
        # The password is 48 random bytes, so its plain hash tells nothing.
        return hashlib.sha256(self.password.encode()).hexdigest()

    def _password_is_current(self) -> bool:
        return self._stamp.exists() and self._stamp.read_text(encoding="utf-8") == self._digest

    def _says_ready(self) -> bool:
        lines = self._pid_file()
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []

    def _is_postmaster(self, command: str | None) -> bool:
        return command is not None and f"cluster_name={self.name}" in command

    def _is_backend(self, command: str) -> bool:
        return command.startswith(f"postgres: {self.name}: ")

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self.account.run([self.binaries / program, *arguments], cwd=self.directory)
