"""The watchdog's own process, set up by environment variables alone, tells all three and stops when asked."""

from __future__ import annotations

import signal
import subprocess
import sys

from erp.alerts import raise_alert
from erp.embedded.processes import wait_until
from tests.databases import ErpDatabase
from tests.environment import PROJECT_DIR
from tests.erp.alerting.receivers import ROUTING_KEY, listening


def test_process_tells_every_channel_in_order_and_stops(erp: ErpDatabase) -> None:
    raise_alert("scrub:customers", "500 of 15000 differ")
    with listening() as here:
        environ = erp.environ(
            ERP_PAGERDUTY_ROUTING_KEY=ROUTING_KEY,
            ERP_PAGERDUTY_URL=here.pagerduty_url,
            ERP_SLACK_WEBHOOK_URL=here.slack_url,
            ERP_ALERT_EMAIL_TO="ops@example.com, boss@example.com",
            ERP_EMAIL_URL=f"smtp://127.0.0.1:{here.smtp_port}",
        )
        process = subprocess.Popen([sys.executable, "manage.py", "watchdog"], cwd=PROJECT_DIR, env=environ)
        try:
            assert wait_until(
                lambda: any(
                    channel == "email" and "Critical" in what[1]["Subject"] for channel, what in list(here.arrived)
                ),
                timeout_s=60, every_s=0.1,
            )  # fmt: skip
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
    about = [channel for channel, what in here.arrived if channel != "email" or "Critical" in what[1]["Subject"]]
    assert about == ["pagerduty", "slack", "email"]
    assert here.refused == []
