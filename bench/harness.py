"""What every benchmark needs: a fresh database, client processes that start together, pgbench, result rows."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.environment import PROJECT_DIR


@dataclass(frozen=True)
class Result:
    """One measured figure against its limit; ``ratio`` = value / limit in the direction of ``goal``."""

    name: str
    value: float
    limit: float
    ratio: float
    goal: str  # e.g. "<= 2" or ">= 0.25"; "" for a figure that is only told
    met: bool | None
    unit: str = ""
    note: str = ""


def judge(name: str, value: float, limit: float, goal: str, *, unit: str = "", note: str = "") -> Result:
    """Compare value / limit with a goal like ``<= 2``, ``>= 0.25`` or ``== 1``."""
    ratio = value / limit if limit else float("inf")
    sign, bound = goal.split()
    met = {"<=": ratio <= float(bound), ">=": ratio >= float(bound), "==": ratio == float(bound)}[sign]
    return Result(name, round(value, 4), round(limit, 4), round(ratio, 3), goal, met, unit, note)


def tell(name: str, value: float, of: float = 0.0, *, unit: str = "", note: str = "") -> Result:
    """Give a figure without a goal, or one as a share ``of`` another."""
    return Result(name, round(value, 4), round(of, 4), round(value / of, 3) if of else 0.0, "", None, unit, note)


def manage(*arguments: str, **environ: str) -> str:
    """Run manage.py in the benchmarks' home; returns its stdout."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT_DIR, env={**os.environ, **environ}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def fresh_database(name: str = "erp_bench") -> str:
    """Create a migrated and provisioned database and make this process and its children use it."""
    import psycopg
    from psycopg import sql

    from erp.environment import load_environment

    target = load_environment().login("postgres")
    with psycopg.connect(**{**target.conninfo(), "dbname": "postgres"}, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    os.environ["ERP_DATABASE_NAME"] = name
    manage("migrate", "-v0", ERP_DB_ROLE="ddl")
    manage("provision", ERP_DB_ROLE="ddl")
    return name


SET_UP = (
    "import sys, json, time, bench.environment\nimport django; django.setup()\nfrom django.db import connections\n"
    "[connections[a].ensure_connection() for a in connections]\n"
)
"""How a client process begins: Django with every module's connection open."""


def run_clients(code: str, clients: int, *, head: str | None = None) -> list[dict[str, object]]:
    """Run ``code`` in that many processes, released together; each prints one JSON document.

    In ``code`` the name ``client`` is the process's number; it runs after ``head``, Django's set-up.
    """
    head = (head or SET_UP) + "client = int(sys.argv[1])\nprint('ready', flush=True); sys.stdin.readline()\n"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", head + code, str(n)],
            cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(clients)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        if worker.stdout.readline().strip() != "ready":
            raise RuntimeError("a benchmark client did not start")
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = []
    for worker in workers:
        output, _ = worker.communicate()
        if worker.returncode:
            raise RuntimeError("a benchmark client failed")
        answers.append(json.loads(output.strip().splitlines()[-1]))
    return answers


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """Median."""
    return statistics.median(values)


@dataclass(frozen=True)
class PgBench:
    """Latencies and rate of a pgbench run."""

    tps: float
    latency_ms: float


def pgbench(script: str, role: str, clients: int, seconds: int = 5) -> PgBench:
    """Run a pgbench script as a role against the benchmark database."""
    from erp.embedded import binaries
    from erp.environment import load_environment

    target = load_environment().login(role)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "script.sql"
        path.write_text(script)
        done = subprocess.run(
            [
                str(binaries.installed().postgres / "pgbench"), "-n", "-f", str(path), "-c", str(clients),
                "-j", str(min(clients, 2)), "-T", str(seconds), "-M", "prepared",
                "-h", target.host, "-p", str(target.port), "-U", target.user,
                os.environ.get("ERP_DATABASE_NAME", target.name),
            ],
            env={**os.environ, "PGPASSWORD": target.password, "PGOPTIONS": f"-c search_path={role},pg_temp"},
            text=True, capture_output=True, check=False,
        )  # fmt: skip
    tps = re.search(r"tps = ([\d.]+)", done.stdout)
    latency = re.search(r"latency average = ([\d.]+) ms", done.stdout)
    if not tps or not latency:
        raise RuntimeError(f"pgbench failed:\n{done.stdout}\n{done.stderr}")
    return PgBench(float(tps.group(1)), float(latency.group(1)))


def report(results: Sequence[Result], name: str) -> None:
    """Print the table and keep the JSON under bench/results/."""
    width = max(len(r.name) for r in results)
    print(f"{'benchmark':<{width}} {'value':>12} {'limit':>12} {'ratio':>8} {'goal':>9}  met")
    for r in results:
        met, unit = {True: "yes", False: "NO", None: ""}[r.met], f" {r.unit}" if r.unit else ""
        figures = f"{r.value:>12.3f} {r.limit:>12.3f} {r.ratio:>8.3f} {r.goal:>9}"
        print(f"{r.name:<{width}} {figures}  {met:<3}{unit} {r.note}")
    folder = PROJECT_DIR / "bench" / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
