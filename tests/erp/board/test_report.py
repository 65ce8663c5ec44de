"""The report is signed: it is valid as it was made, and not after any change."""

from __future__ import annotations

import copy
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from erp.board.report import InvalidReport, public_key, verify_report
from erp.replication.resync import detach


@pytest.fixture
def document(staff: Client, scrubbed: dict[str, Any]) -> dict[str, Any]:
    detach("vat_code", "admin_app", "a test")
    answer = staff.get("/admin/ownership/report/?days=2")
    assert 'filename="consistency-' in answer["Content-Disposition"]
    found: dict[str, Any] = answer.json()
    return found


def test_report_tells_runs_repairs_and_rows_without_values(document: dict[str, Any], scrubbed: dict[str, Any]) -> None:
    report = verify_report(document)
    found = next(run for run in report["runs"] if run["id"] == scrubbed["found"].pk)
    assert found["results"][0]["rows"] == [f"finance/customer {scrubbed['key']}"]
    assert "Elsewhere" not in json.dumps(report)
    assert {"entity": "vat_code", "reader": "admin_app", "attached": False, "reason": "a test"} in [
        repair["what"] for repair in report["repairs"]
    ]
    assert len(report["promised"]) == 7


def test_any_change_breaks_the_signature(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["report"]["runs"][0]["status"] = "failed"
    with pytest.raises(InvalidReport, match="changed after it was signed"):
        verify_report(changed)


def test_report_of_another_installation_is_refused(document: dict[str, Any], settings: Any) -> None:
    key = public_key()
    settings.SECRET_KEY = "another installation's secret key"
    with pytest.raises(InvalidReport, match="another key"):
        verify_report(document)
    assert verify_report(document, key)["company"]


def test_command_verifies_a_file(document: dict[str, Any], tmp_path: Path) -> None:
    file, out = tmp_path / "report.json", StringIO()
    file.write_text(json.dumps(document), encoding="utf-8")
    call_command("verify_report", str(file), stdout=out)
    assert out.getvalue().startswith("Valid: ")
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(CommandError, match="NOT VALID"):
        call_command("verify_report", str(file))
    call_command("verify_report", stdout=out)
    assert public_key() in out.getvalue()
