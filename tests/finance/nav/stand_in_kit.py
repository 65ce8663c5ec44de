"""A stand-in over real HTTP with two taxpayers, and a client that talks to it."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finance.nav.client import Backoff, NavClient
from finance.nav.credentials import Credentials, Software
from finance.nav.schema import NavSchema
from finance.nav.standin.config import Fault, RegisteredTaxpayer, StandInClock, StandInConfig, StandInUser
from finance.nav.standin.server import StandInServer
from finance.nav.transport import Answer, Timeouts, Transport, post
from finance.nav.xmlread import parse_xml

# The supplier and the buyer of the official samples.
SUPPLIER_ID, BUYER_ID = "99999999", "99887764"
NOW = datetime(2021, 6, 2, 12, 0, tzinfo=UTC)


def user(tax_number: str, login: str) -> Credentials:
    """Credentials of an invented technical user."""
    return Credentials.of_password(
        tax_number=tax_number,
        login=login,
        password=f"Titkos-{login}",
        sign_key=f"11-aa22-{login}-bb33cc44",
        exchange_key="0123456789ABCDEF",
    )


ME = user(SUPPLIER_ID, "supplier000001")
READER = user(SUPPLIER_ID, "reader00000001")
OTHER = user(BUYER_ID, "buyer000000001")
SUSPENDED = user("55555555", "suspended00001")
TWIN = user("44444444", "twin0000000001")

SOFTWARE = Software("ERP-000000000000-1", "ERP", "1.0", "Developer", "dev@example.com")

TAXPAYERS = (
    RegisteredTaxpayer(SUPPLIER_ID, "Értékesítő Kft"),
    RegisteredTaxpayer(BUYER_ID, "Beszerző Kft", county_code="02", vat_group="17777777"),
    RegisteredTaxpayer("55555555", "Felfüggesztett Kft", is_valid=False),
)

USERS = (
    StandInUser(ME),
    StandInUser(READER, frozenset({"queryInvoiceData"})),
    StandInUser(OTHER),
    StandInUser(SUSPENDED),
    StandInUser(TWIN),
)


def config(official_files: Path, folder: Path, **changes: Any) -> StandInConfig:
    """A stand-in without a worker: batches are worked through when asked for."""
    plain = StandInConfig(official_files / "xsd", folder / "nav.sqlite3", USERS, TAXPAYERS, has_worker=False)
    return replace(plain, **changes)


@contextmanager
def running(configuration: StandInConfig, now: datetime = NOW) -> Iterator[StandInServer]:
    """Run a stand-in whose clock stands at `now`."""
    clock = StandInClock()
    clock.set(now)
    with StandInServer(configuration, clock) as server:
        yield server


def checked_post(schema: NavSchema) -> Transport:
    """Post over HTTP, and make sure that every answer of the stand-in follows the official XSD."""

    def transport(url: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts) -> Answer:
        answer = post(url, body, headers, timeouts)
        if answer.body:
            assert schema.errors(parse_xml(answer.body)) == []
        return answer

    return transport


def client_of(server: StandInServer, schema: NavSchema, credentials: Credentials = ME, **changes: Any) -> NavClient:
    """A client on the stand-in's clock that does not really wait between attempts."""
    plain = NavClient(
        server.base_url,
        credentials,
        SOFTWARE,
        schema,
        timeouts=Timeouts(connect_s=5, read_s=5, total_s=10),
        backoff=Backoff(attempts=3),
        transport=checked_post(schema),
        now=server.service.clock.now,
        sleep=lambda _: None,
    )
    return replace(plain, **changes)


def inject(server: StandInServer, *faults: Fault) -> None:
    """Put faults in force."""
    server.service.faults.replace(faults)


def order(server: StandInServer, name: str, **body: Any) -> Any:
    """Send an order to the control endpoint."""
    request = urllib.request.Request(f"{server.root_url}/_control/{name}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
