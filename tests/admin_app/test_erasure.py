"""Erasing a person: master, copies and history are overwritten in one transaction; debts forbid it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import psycopg
import pytest
from django.test import Client

from admin_app import api
from admin_app.models import ChangeJournal, Customer, CustomerAddress
from admin_app.services.erasure import erase_customer
from erp import ownership
from erp.actor import SYSTEM
from erp.errors import ReaderUnavailable, Refused
from erp.publishing import copy_model
from tests.databases import ErpDatabase

PERSON = {"name": "Anna Kiss", "phone": "+36 1 234 5678", "city": "Pécs", "street": "Fő utca 1."}


def register(**more: Any) -> int:
    address = {"kind": "delivery", "name": "Anna Kiss", "postcode": "7600", "city": "Pécs", "street": "Másik utca 2."}
    made = api.register_customer({**PERSON, "addresses": [address], **more}, actor=SYSTEM)
    return int(made["id"])


def test_nothing_personal_is_left_in_any_module(erp: ErpDatabase) -> None:
    key = register(email="anna1@example.com")
    done = erase_customer(key)
    assert done == {"version": 3, "journal_rows": 3}
    assert CustomerAddress.objects.filter(customer_id=key).count() == 0
    rows: list[Any] = [Customer.objects.get(pk=key)]
    for reader in ownership.entity("customer").readers:
        copy: Any = copy_model("customer", reader)
        rows.append(copy.objects.get(pk=key))
    for row in rows:
        assert row.version == 3
        assert "Anna" not in str(vars(row))
        assert "anna1" not in str(vars(row))
    for entry in ChangeJournal.objects.filter(entity="customer", key=key):
        assert "Kiss" not in json.dumps(entry.payload)
        assert entry.payload["number"] == rows[0].number


def test_history_keeps_who_wrote_when(erp: ErpDatabase) -> None:
    key = register()
    erase_customer(key)
    versions = ChangeJournal.objects.filter(entity="customer", key=key).order_by("version")
    assert [(e.version, bool(e.actor_name)) for e in versions] == [(1, True), (2, True), (3, True)]


def test_locked_reader_leaves_the_person_untouched(erp: ErpDatabase) -> None:
    key = register()
    with erp.connect("finance_ddl") as other, other.transaction():
        other.execute("lock table customer_copy in access exclusive mode")
        with pytest.raises(ReaderUnavailable):
            erase_customer(key)
    assert Customer.objects.get(pk=key).name == "Anna Kiss"


def test_unpaid_invoice_forbids_erasure(erp: ErpDatabase) -> None:
    key = register()
    invoice = {
        "id": 1, "version": 1, "number": "A-1", "kind": "invoice", "customer_id": key, "currency": "HUF",
        "issued_on": date(2026, 1, 1).isoformat(), "net_total": "100", "vat_total": "27", "gross_total": "127",
    }  # fmt: skip
    with erp.connect("finance") as finance:
        finance.execute("select admin_app.receive_invoice(%s::jsonb)", [json.dumps([invoice])])
        with pytest.raises(Refused, match="A-1"):
            erase_customer(key)
        paid = {**invoice, "version": 2, "paid_total": "127", "payment_state": "paid"}
        finance.execute("select admin_app.receive_invoice(%s::jsonb)", [json.dumps([paid])])
    assert erase_customer(key)["version"] == 3


def test_journal_is_changed_by_redaction_only(erp: ErpDatabase) -> None:
    key = register()
    with erp.connect("admin_app") as runtime:
        runtime.execute("set erp.redacting = 'on'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime.execute("update change_journal set payload = '{}' where key = %s", [key])
    with erp.connect("admin_app_ddl") as ddl, pytest.raises(psycopg.errors.RestrictViolation):
        ddl.execute("update change_journal set payload = '{}' where key = %s", [key])


def test_staff_are_asked_before_they_erase(staff: Client) -> None:
    key = register()
    url = f"/admin/admin_app/customer/{key}/erase/"
    assert "Erase for good" in staff.get(url).content.decode()
    assert Customer.objects.get(pk=key).name == "Anna Kiss"
    staff.post(url)
    assert Customer.objects.get(pk=key).retired_at is not None
