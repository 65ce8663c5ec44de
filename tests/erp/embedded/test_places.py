"""Where data and sockets go: long paths, homes that the servers' account cannot enter, ordinary users."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import erp
from erp import embedded
from erp.embedded.accounts import Account
from erp.embedded.binaries import installed
from erp.embedded.layout import SOCKET_PATH_LIMIT, locate
from erp.files import make_home
from tests.erp.embedded.sql import ask, redis_of

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can step down to another account")
NOBODY = 65534


def test_long_path_puts_sockets_elsewhere(place: Path) -> None:
    home = place / ("x" * 60) / ("y" * 60) / "home"
    services = embedded.ensure(home)
    sockets = Path(services.postgres_host)
    assert sockets == embedded.socket_dir(home)
    assert home not in sockets.parents
    assert len(str(sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert ask(services, "SHOW data_directory").startswith(str(home))
    with redis_of(services) as client:
        assert client.ping()
    embedded.destroy(home)
    assert not sockets.exists()


def test_path_with_spaces_and_quotes(place: Path) -> None:
    home = place / 'it\'s a "home" 100%' / "home"
    services = embedded.ensure(home)
    assert ask(services, "SELECT 1") == 1
    with redis_of(services) as client:
        assert client.ping()


@only_root
def test_unreachable_home_keeps_data_outside(place: Path) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    home = private / "home"
    services = embedded.ensure(home)
    outside = locate(home).root
    assert outside != home
    assert ask(services, "SHOW data_directory") == str(outside / "postgres/data")
    assert str(outside) in (home / "embedded.json").read_text()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    embedded.stop(home)
    private.chmod(0o755)
    assert embedded.ensure(home) == services, "the pointer holds although home could be entered now"
    embedded.destroy(home)
    assert not outside.exists()


@only_root
def test_copied_home_does_not_use_the_data_of_the_original(place: Path) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    embedded.ensure(private / "home")
    shutil.copytree(private / "home", private / "home-copy")
    assert locate(private / "home-copy").root != locate(private / "home").root


@only_root
def test_binaries_are_copied_when_out_of_reach(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = installed().postgres / "postgres"
    real = Account.can_execute
    monkeypatch.setattr(Account, "can_execute", lambda self, path: path != hidden and real(self, path))
    home = place / "home"
    services = embedded.ensure(home)
    running = embedded.status(home).postgres
    assert Path(f"/proc/{running}/exe").resolve().is_relative_to(home / "binaries")
    assert ask(services, "SELECT 1") == 1


@only_root
def test_servers_of_root_do_not_run_as_root(home: Path) -> None:
    embedded.ensure(home)
    status = embedded.status(home)
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in (status.postgres, status.valkey)} == {
        locate(home).account.uid
    }
    assert locate(home).account.uid != 0


@only_root
def test_works_as_an_ordinary_user(place: Path) -> None:
    user = Account(NOBODY, NOBODY, demoted=True)
    python = next(
        (p for p in (sys.executable, "/usr/bin/python3") if Path(p).exists() and user.can_execute(Path(p).resolve())),
        None,
    )
    source = Path(erp.__file__).parent.parent
    packages = installed().postgres.parents[2]
    if python is None or not user.can_reach(source) or not user.can_reach(packages):
        pytest.skip("no Python that an ordinary user can execute, or the project is out of its reach")
    user.own(place / "theirs")
    home = place / "theirs" / "home"
    code = (
        "from pathlib import Path; from erp import embedded; import sys\n"
        "home = Path(sys.argv[1]); embedded.ensure(home); embedded.ensure(home)\n"
        "status = embedded.status(home); assert status.postgres and status.valkey\n"
        "embedded.stop(home); assert embedded.status(home).postgres is None; embedded.ensure(home)\n"
    )
    done = subprocess.run(
        [python, "-c", code, str(home)],
        cwd="/",
        env={"PYTHONPATH": f"{source}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert home.stat().st_uid == NOBODY
    services = embedded.ensure(home)
    assert ask(services, "SELECT 1") == 1, "root uses what an ordinary user set up, as that user"
    assert Path(f"/proc/{embedded.status(home).postgres}").stat().st_uid == NOBODY


@only_root
def test_foreign_short_directory_is_refused(place: Path) -> None:
    home = place / ("x" * 60) / ("y" * 60) / "home"
    sockets = embedded.socket_dir(home)
    sockets.mkdir()
    os.chown(sockets, NOBODY, NOBODY)
    with pytest.raises(embedded.EmbeddedError, match="belongs to uid"):
        embedded.ensure(home)
    sockets.rmdir()


def test_home_is_made_for_its_user_alone(tmp_path: Path) -> None:
    make_home(tmp_path / "a" / "home")
    mode = stat.S_IMODE((tmp_path / "a" / "home").stat().st_mode)
    assert mode == (0o711 if os.geteuid() == 0 else 0o700)  # root's servers pass through as another account
    (tmp_path / "kept").mkdir(mode=0o750)
    make_home(tmp_path / "kept")
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o750
