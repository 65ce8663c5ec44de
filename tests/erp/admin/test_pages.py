"""Every page of the admin opens; copies are read-only and say whose they are; the board shows every age."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from admin_app.models import Customer
from erp import ownership
from erp.models import CopyModel
from erp.publishing import copy_model, owner_model
from erp.replication.positions import attachment
from tests.databases import ErpDatabase

PAIRS = [(entity.name, reader) for entity in ownership.ENTITIES for reader in entity.readers]


def page_of(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_list_opens(boss: Client) -> None:
    for model in admin.site._registry:
        assert boss.get(page_of(model, "changelist")).status_code == 200, model


def test_every_form_to_add_opens(boss: Client) -> None:
    for model, page in admin.site._registry.items():
        status = boss.get(page_of(model, "add")).status_code
        may_add = page.has_add_permission(boss.get("/admin/").wsgi_request)
        assert status == (200 if may_add else 403), model


def test_every_entity_and_every_copy_has_its_page(erp: ErpDatabase) -> None:
    wanted: list[Any] = [owner_model(entity.name, writer) for entity in ownership.ENTITIES for writer in entity.writers]
    wanted += [copy_model(entity, reader) for entity, reader in PAIRS]
    assert [model._meta.label for model in wanted if model not in admin.site._registry] == []


@pytest.mark.parametrize(("entity", "reader"), PAIRS)
def test_copy_is_read_only_with_owner_and_age(boss: Client, entity: str, reader: str) -> None:
    model = copy_model(entity, reader)
    page = boss.get(page_of(model, "changelist")).content.decode()
    assert "Read-only copy." in page
    assert f"{ownership.MODULE_LABELS[ownership.entity(entity).owner]} owns" in page
    assert boss.get(page_of(model, "add")).status_code == 403


def test_copy_row_leads_to_the_owners_page(boss: Client, customer: Customer) -> None:
    model = copy_model("customer", "finance")
    page = boss.get(page_of(model, "change", customer.pk))
    assert f"/admin/admin_app/customer/{customer.pk}/change/" in page.content.decode()
    assert boss.post(page_of(model, "change", customer.pk), {"name": "X"}).status_code == 403


def test_start_page_shows_every_copy(staff: Client) -> None:
    page = staff.get("/admin/")
    assert page.status_code == 200
    assert len(page.context["pairs"]) == len(PAIRS)


def test_board_names_owner_and_readers(staff: Client) -> None:
    page = staff.get("/admin/ownership/").content.decode()
    for entity in ownership.ENTITIES:
        assert f"owned by {ownership.MODULE_LABELS[entity.owner]}" in page


def test_reader_is_detached_and_attached_with_a_reason(staff: Client) -> None:
    entity = ownership.entity("product")
    step = {"entity": "product", "reader": "finance"}
    staff.post("/admin/ownership/", {**step, "verb": "detach", "reason": ""})
    assert attachment(entity, "admin_app", "finance") == (True, "")
    staff.post("/admin/ownership/", {**step, "verb": "detach", "reason": "moving disks"})
    assert attachment(entity, "admin_app", "finance") == (False, "moving disks")
    assert "moving disks" in staff.get("/admin/ownership/").content.decode()
    staff.post("/admin/ownership/", {**step, "verb": "attach"})
    assert attachment(entity, "admin_app", "finance")[0] is True


def test_foreign_duty_cannot_detach(staff: Client) -> None:
    step = {"entity": "stock", "reader": "admin_app", "verb": "detach", "reason": "x"}
    assert staff.post("/admin/ownership/", step).status_code == 403


def test_no_page_loads_anything_from_another_host(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert 'src="http' not in page
    assert 'rel="stylesheet" href="http' not in page


def test_copies_are_registered_read_only(erp: ErpDatabase) -> None:
    for model, page in admin.site._registry.items():
        if issubclass(model, CopyModel):
            assert not page.has_change_permission(None)  # type: ignore[arg-type]
