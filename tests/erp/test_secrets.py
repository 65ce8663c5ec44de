"""Secrets are made once, kept private, and split by who needs them."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from erp.secrets import DDL_ROLES, RUNTIME_ROLES, UnknownRole, load_secrets


def test_passwords_stay_the_same(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    again = load_secrets(tmp_path)
    assert first == again
    passwords = [first.password(role) for role in (*RUNTIME_ROLES, *DDL_ROLES, "postgres")]
    assert len(set(passwords)) == len(passwords) == 11
    assert min(map(len, passwords)) >= 40


def test_files_are_private(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    for name in ("runtime.json", "ddl.json"):
        assert stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) == 0o600


def test_runtime_process_neither_reads_nor_makes_ddl_secrets(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path, ddl=False)
    assert not (tmp_path / "secrets" / "ddl.json").exists()
    assert secrets.password("finance")
    with pytest.raises(UnknownRole, match="finance_ddl"):
        secrets.password("finance_ddl")


def test_added_role_keeps_the_other_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_secrets(tmp_path)
    monkeypatch.setattr("erp.secrets.RUNTIME_ROLES", (*RUNTIME_ROLES, "payroll"))
    after = load_secrets(tmp_path)
    assert after.password("payroll")
    assert after.password("finance") == before.password("finance")


def test_nothing_is_shown(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path)
    assert secrets.password("finance") not in repr(secrets)
    assert secrets.secret_key not in repr(secrets)


def test_concurrent_first_use_makes_one_set(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from erp.secrets import load_secrets as l; l(Path(sys.argv[1]))"
    starters = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    found = load_secrets(tmp_path)
    assert [starter.wait(30) for starter in starters] == [0] * 4
    assert load_secrets(tmp_path) == found
