"""The long drill: more shoppers from step to step, on the whole system as `make run` starts it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from erp.environment import PROJECT_DIR
from tests.erp.supervisor.test_up import Installation
from tests.faults.test_redis_gone import free_port


class _Demo(Installation):
    """With demo goods to sell, and a disk that is really waited for."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "ERP_DEMO": "1", "ERP_PG_EXTRA": "-c fsync=on", "ERP_LOCK_TIMEOUT_MS": "2000"}


def _line(step: dict[str, Any]) -> str:
    """One step for the terminal; the last one is the one that did not hold."""
    names = ("shoppers", "orders_per_s", "pages_per_s", "oversold", "errors_5xx", "deadlocks_seen", "failures")
    told = ", ".join(f"{name} {step[name]}" for name in names)
    return (
        f"{'held' if step['held'] else 'DID NOT HOLD'}: {told}, page p50 {step['latency_s']['p50']} s, "
        f"p99 {step['latency_s']['p99']} s, oldest stock shown {step['oldest_stock_at_arrival_s']['max']} s"
    )


@pytest.mark.soak
def test_last_step_before_the_shop_is_slow_holds() -> None:
    folder = Path(tempfile.mkdtemp(prefix="erp-drill-", dir="/var/tmp"))
    shop = _Demo(folder / "home", free_port())
    shop.home.parent.chmod(0o755)
    try:
        shop.up()
        done = subprocess.run(
            [sys.executable, "manage.py", "blackfriday", "--steps", "--shoppers", "2", "--minutes", "2", "--json"],
            cwd=PROJECT_DIR, env=shop.env, text=True, capture_output=True, check=False, timeout=7200,
        )  # fmt: skip
        figures = json.loads(done.stdout)
        results = PROJECT_DIR / "bench" / "results"
        results.mkdir(exist_ok=True)
        (results / "blackfriday.json").write_text(json.dumps(figures, indent=1) + "\n")
        shutil.copy(figures["report"], results / "blackfriday.html")
        for step in figures["steps"]:
            print(_line(step))  # noqa: T201
        assert figures["last_step_held"], figures
        assert (figures["oversold"], figures["errors_5xx"]) == (0, 0)
        assert figures["oldest_stock_at_arrival_s"]["max"] < 15
    finally:
        shop.manage("down", ERP_START_SERVICES="0")
        for run in shop.runs:
            run.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
