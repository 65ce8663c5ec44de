"""A technical user's secrets: from the environment, or from the database, encrypted with a key that is not in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from django.conf import settings

from erp.actor import Actor
from erp.db import module_transaction
from erp.encryption import CannotDecrypt, decrypt, encrypt
from finance.errors import ReportingNotSetUp
from finance.models import NavCredential
from finance.nav.credentials import Credentials

NAMES = ("login", "password", "sign_key", "exchange_key")
_PURPOSE = "nav technical user"


def variable(name: str) -> str:
    """The environment variable of one secret."""
    return f"ERP_NAV_{name.upper()}"


def credentials_of(endpoint: str, tax_number: str) -> Credentials:
    """The technical user of an endpoint; the environment goes first.

    Raises:
        ReportingNotSetUp: one of the four is missing, or what is stored cannot be opened.
    """
    given = {name: os.environ.get(variable(name), "") for name in NAMES}
    if not any(given.values()):
        given = _stored(endpoint)
    missing = [variable(name) for name in NAMES if not given.get(name)]
    if missing:
        raise ReportingNotSetUp(
            f"The technical user of the {endpoint} system is incomplete: set {', '.join(missing)}, "
            "or store it with manage.py nav_credentials"
        )
    return Credentials.of_password(tax_number=tax_number, **given)


def store_credentials(endpoint: str, values: Mapping[str, str], actor: Actor) -> None:
    """Keep a technical user in the database, encrypted; replaces the one before."""
    wanted = {name: values[name] for name in NAMES}
    sealed = encrypt(json.dumps(wanted).encode(), settings.SECRET_KEY, f"{_PURPOSE} {endpoint}")
    with module_transaction("finance"):
        NavCredential.objects.update_or_create(endpoint=endpoint, defaults={"sealed": sealed, "stored_by": actor.name})


def _stored(endpoint: str) -> dict[str, str]:
    found = NavCredential.objects.filter(endpoint=endpoint).first()
    if found is None:
        return {}
    try:
        content = decrypt(bytes(found.sealed), settings.SECRET_KEY, f"{_PURPOSE} {endpoint}")
    except CannotDecrypt as error:
        raise ReportingNotSetUp(
            f"The stored technical user of the {endpoint} system cannot be opened (the secret key has changed): "
            "store it again with manage.py nav_credentials"
        ) from error
    return dict(json.loads(content))
