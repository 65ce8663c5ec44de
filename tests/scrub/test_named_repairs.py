"""What a check names as the repair repairs what it found: finding, repair as named, clean."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
from erp.links import stuck_page
from erp.stuck import list_stuck, try_again
from logistics import api as logistics
from tests.databases import ErpDatabase
from tests.scrub.planting import CLERK, Installation, copy_everything, found, make_installation, run
from tests.scrub.test_copy_drift import COPIES, KINDS, Copy, keys_of, values_of
from tests.storefront import world


@pytest.fixture(scope="module")
def here(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    """One installation for all repairs of this file; nothing is put back but by them."""
    with django_db_blocker.unblock():
        yield make_installation(module_erp)


def call_named(repair: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Call the one command that a check names; returns the statuses of the checks that it ran again."""
    capsys.readouterr()
    call_command(*shlex.split(repair.removeprefix("manage.py ")), "--json")
    statuses: dict[str, str] = json.loads(capsys.readouterr().out)["checks"]
    return statuses


@pytest.mark.parametrize("copy", COPIES, ids=lambda c: f"{c.reader}-{c.entity}")
def test_copy_is_right_again_after_the_named_resync(
    here: Installation, copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = keys_of(here, copy)
    values = values_of(here, copy, a, b)
    with here.erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")
        for kind in ("extra", "missing"):
            rogue.execute(KINDS[kind][0].format(**values))  # type: ignore[call-overload]
        for kind in ("stale", "ahead", "off by the least"):
            rogue.execute(KINDS[kind][0].format(**{**values, "a": b}))  # type: ignore[call-overload]
    finding = run(copy.check)
    named = [key for key in found(finding) if " account " not in key]
    assert sorted(named) == sorted(f"{copy.reader}/{copy.entity} {key}" for key in (a, b, 999999))
    assert finding.repair == f"manage.py resync {copy.entity} {copy.reader} --keys {min(a, b)},{max(a, b)},999999"
    assert call_named(finding.repair, capsys) == {copy.check: "ok"}


def test_corrupt_owner_is_corrected_where_it_is_edited_and_its_copies_follow(here: Installation) -> None:
    key = here.names["customer"][0]
    with here.erp.connect("postgres") as rogue:
        rogue.execute("update admin_app.customer set city = 'Elsewhere' where id = %s", [key])
    finding = run("customers")
    assert (set(found(finding).values()), "resync" in finding.repair) == ({"owner corrupt"}, False)
    assert finding.repair.startswith(f"correct customer {key} at Admin")
    last_written = finding.samples[0].found["city"]
    form = CustomerSerializer(Customer.objects.get(pk=key), data={"city": last_written}, partial=True)
    form.is_valid(raise_exception=True)
    form.save(actor=CLERK)
    assert run("customers").status == "ok"


def test_goods_issue_without_invoice_is_invoiced_by_trying_again(here: Installation) -> None:
    with here.erp.connect("storefront_ddl") as ddl:
        ddl.execute("revoke execute on function receive_invoice(jsonb) from finance")
    order = int(world.place((here.names["product"][2], 1), customer_id=here.names["customer"][0])["order_id"])
    logistics.ship(order, None, actor=CLERK, key=None)
    with here.erp.connect("storefront_ddl") as ddl:
        ddl.execute("grant execute on function receive_invoice(jsonb) to finance")
    with here.erp.connect("postgres") as rogue:  # an hour goes by
        rogue.execute(
            "update logistics.shipment set issued_at = issued_at - interval '1 hour' where invoice_number = ''"
        )
    copy_everything()
    finding = run("sales_orders")
    ((key, cause),) = found(finding).items()
    assert (key.endswith(": no invoice"), cause) == (True, "lost")
    assert finding.repair == f"try it again at {stuck_page()}"
    ((source, (document,)),) = list_stuck("logistics")
    try_again(source.name, document.key, CLERK)
    copy_everything()
    assert {name: run(name).status for name in ("sales_orders", "invoices")} == {"sales_orders": "ok", "invoices": "ok"}
