"""The client of this installation: endpoint, technical user, schema, software, all from settings."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings

from erp.environment import PROJECT_DIR
from finance.errors import ReportingNotSetUp
from finance.nav.client import NavClient
from finance.nav.credentials import ENDPOINTS, Credentials, Software
from finance.nav.local import find_address, stand_in_credentials
from finance.nav.schema import NavSchema, load_schema_if_there
from finance.nav.transport import Timeouts
from finance.services.reporting.secrets import credentials_of

logger = logging.getLogger(__name__)

OFF, STAND_IN, LIVE = "off", "standin", "live"
KNOWN = (OFF, STAND_IN, *ENDPOINTS)


def endpoint() -> str:
    """Where this installation reports to. Raises ReportingNotSetUp for a word that is none."""
    found = str(settings.NAV["endpoint"])
    if found not in KNOWN:
        raise ReportingNotSetUp(f"ERP_NAV_ENDPOINT must be one of {', '.join(KNOWN)}, not {found!r}")
    return found


def is_set_up() -> bool:
    """Whether documents are reported anywhere: not when it is off, nor at a stand-in that was never started."""
    name = endpoint()
    return name != OFF and (name != STAND_IN or bool(settings.NAV["url"] or find_address(settings.ERP_HOME)))


def tax_number() -> str:
    """The first 8 digits of the company's tax number."""
    return str(settings.COMPANY["tax_number"]).replace("-", "")[:8]


def schema() -> NavSchema:
    """The NAV's XSD files from the folder in the settings; without them nothing is checked, and the log says so."""
    found = _schema(str(settings.NAV["schema_dir"]))
    if not found.is_checked:
        say_once(found.why_unchecked)
    return found


@lru_cache(maxsize=16)
def say_once(text: str) -> None:
    """Log a warning the first time this process comes upon it: the outbox runs every few seconds."""
    logger.warning("%s", text)


def recovery_wait() -> timedelta:
    """How long after a lost answer the NAV can be asked whether it took a batch in."""
    return timedelta(seconds=float(settings.NAV["recovery_wait_s"]))


@lru_cache(maxsize=2)
def _schema(folder: str) -> NavSchema:
    return load_schema_if_there(folder)


def connect(**changes: Any) -> NavClient:
    """A client that speaks for the company.

    Raises:
        ReportingNotSetUp: there is no endpoint, no technical user, no stand-in, or no schema for the live system; the
            message says what to do.
    """
    name = endpoint()
    if name == OFF:
        raise ReportingNotSetUp("Reporting is off: set ERP_NAV_ENDPOINT to standin, test or live")
    checks = schema()
    if name == LIVE and not checks.is_checked:
        raise ReportingNotSetUp(
            f"Nothing is sent to the live system unchecked: set ERP_NAV_SCHEMA_DIR. {checks.why_unchecked}"
        )
    options = {"schema": checks, "max_batch": settings.NAV["max_batch"], "timeouts": _timeouts(), **changes}
    return NavClient(_address(name), _credentials(name), software(), **options)


def software() -> Software:
    """How every request names this program."""
    return Software(
        id=str(settings.NAV["software_id"]), name="ERP", version=_version(), developer=settings.COMPANY["name"],
        contact=settings.COMPANY["email"],
    )  # fmt: skip


def describe() -> dict[str, Any]:
    """For staff: the endpoint, whether it can be used, whether documents are checked against the XSD."""
    problem = ""
    try:
        address = connect().base_url
    except ReportingNotSetUp as error:
        address, problem = "", error.message
    return {
        "endpoint": settings.NAV["endpoint"], "address": address, "problem": problem,
        "is_stand_in": settings.NAV["endpoint"] == STAND_IN, "why_unchecked": schema().why_unchecked,
    }  # fmt: skip


def _address(name: str) -> str:
    if name == STAND_IN:
        address = settings.NAV["url"] or find_address(settings.ERP_HOME)
        if not address:
            raise ReportingNotSetUp("No stand-in has been started: manage.py nav_standin")
        return str(address)
    return str(settings.NAV["url"] or ENDPOINTS[name])


def _credentials(name: str) -> Credentials:
    if name == STAND_IN:
        return stand_in_credentials(settings.SECRET_KEY, tax_number())
    return credentials_of(name, tax_number())


def _timeouts() -> Timeouts:
    total = float(settings.NAV["timeout_s"])
    return Timeouts(connect_s=min(5.0, total), read_s=min(30.0, total), total_s=total)


@lru_cache(maxsize=1)
def _version() -> str:
    import tomllib

    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
