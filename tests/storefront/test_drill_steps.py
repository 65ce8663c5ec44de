"""The long drill: more shoppers from step to step, on the whole system as `make run` starts it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from erp.environment import PROJECT_DIR
from tests.erp.supervisor.test_up import Installation
from tests.faults.test_redis_gone import free_port


class _Demo(Installation):
    """With demo goods to sell, and a disk that is really waited for."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "ERP_DEMO": "1", "ERP_PG_EXTRA": "-c fsync=on", "ERP_LOCK_TIMEOUT_MS": "2000"}


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
        print(f"last step that held: {figures['shoppers']} shoppers, {figures['orders_per_s']} orders/s")  # noqa: T201
        assert figures["last_step_held"], figures
        assert (figures["oversold"], figures["errors_5xx"]) == (0, 0)
        assert figures["oldest_stock_at_arrival_s"]["max"] < 15
    finally:
        shop.manage("down", ERP_START_SERVICES="0")
        for run in shop.runs:
            run.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
