"""Where the stand-in of this installation listens, and who its technical user is."""

import hashlib
import hmac
import json
import os
from pathlib import Path

from finance.nav.credentials import Credentials

FILE = "standin.json"


def folder_of(home: Path) -> Path:
    """Where a stand-in keeps its state."""
    return home / "nav"


def note_address(home: Path, base_url: str) -> None:
    """Tell the clients of this installation where the stand-in listens now."""
    path = folder_of(home) / FILE
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"base_url": base_url, "pid": os.getpid()}), encoding="utf-8")
    draft.replace(path)


def find_address(home: Path) -> str:
    """The address of this installation's stand-in; empty when none was started."""
    try:
        return str(json.loads((folder_of(home) / FILE).read_text(encoding="utf-8"))["base_url"])
    except (OSError, ValueError, KeyError):
        return ""


def stand_in_credentials(secret: str, tax_number: str) -> Credentials:
    """The stand-in's technical user: derived from the installation's secret, so neither side stores it."""

    def part(name: str, length: int) -> str:
        return hmac.new(secret.encode(), f"nav stand-in {name}".encode(), hashlib.sha256).hexdigest()[:length]

    return Credentials.of_password(
        tax_number=tax_number,
        login=f"standin{part('login', 8)}",
        password=part("password", 32),
        sign_key=part("sign", 32),
        exchange_key=part("exchange", 16).upper(),
    )
