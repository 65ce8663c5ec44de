"""The ownership map in the ORM, the admin and the API: who may write what, for every owner and every reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import ProgrammingError
from django.test import Client
from django.urls import reverse

from erp import ownership
from erp.admin import OwnedAdmin
from erp.api.paths import PREFIX, collection, copy_collection, owner_url
from erp.errors import OwnershipError
from erp.ownership import ENTITIES, MODULES
from erp.permit import write_permit
from erp.publishing import copy_model, owner_model
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.people import ApiClient, person, staff_client

OWNED = [(entity.name, writer) for entity in ENTITIES for writer in entity.writers]
COPIES = [(entity.name, reader) for entity in ENTITIES for reader in entity.readers]

WRITES: dict[str, Callable[[Any], object]] = {
    "save": lambda model: model(pk=1).save(),
    "create": lambda model: model.objects.create(pk=1),
    "get_or_create": lambda model: model.objects.get_or_create(pk=-1),
    "update_or_create": lambda model: model.objects.update_or_create(pk=-1),
    "update": lambda model: model.objects.filter(pk=1).update(version=9),
    "bulk_create": lambda model: model.objects.bulk_create([model(pk=1)]),
    "bulk_update": lambda model: model.objects.bulk_update([model(pk=1)], ["version"]),
    "delete": lambda model: model(pk=1).delete(),
    "delete by query": lambda model: model.objects.filter(pk=1).delete(),
}
ADDED_BY_FORM = ("customer", "product", "vat_code", "invoice")  # all others come from operations
DELETES = ("delete", "delete by query")


@pytest.fixture
def erp(module_erp: ErpDatabase, django_db_blocker: Any) -> Iterator[ErpDatabase]:
    """The file's database, open to the test."""
    with django_db_blocker.unblock():
        yield module_erp


# --- ORM ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(("entity", "writer"), OWNED)
def test_owner_writes_through_its_serializer_only(erp: ErpDatabase, entity: str, writer: str, write: str) -> None:
    with pytest.raises(OwnershipError):
        WRITES[write](owner_model(entity, writer))


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(("entity", "reader"), COPIES)
def test_reader_never_writes_its_copy(erp: ErpDatabase, entity: str, reader: str, write: str) -> None:
    with write_permit(*(e.name for e in ENTITIES)), pytest.raises(OwnershipError):
        WRITES[write](copy_model(entity, reader))


@pytest.mark.parametrize(("entity", "reader"), COPIES)
def test_way_around_the_orm_ends_at_postgresql(erp: ErpDatabase, entity: str, reader: str) -> None:
    model: Any = copy_model(entity, reader)
    with pytest.raises(ProgrammingError, match="permission denied"):
        model._base_manager.filter(pk=1).update(version=9)
    with pytest.raises(ProgrammingError, match="permission denied"):
        model._base_manager.filter(pk=1).delete()


@pytest.mark.parametrize(("entity", "writer"), OWNED)
def test_permit_opens_one_entity_and_never_deletes(erp: ErpDatabase, entity: str, writer: str) -> None:
    model: Any = owner_model(entity, writer)
    with write_permit(*(e.name for e in ENTITIES if e.name != entity)), pytest.raises(OwnershipError):
        WRITES["update"](model)
    with write_permit(entity):
        if ownership.entity(entity).append_only:
            with pytest.raises(ProgrammingError, match="permission denied"):
                WRITES["update"](model)
        else:
            assert model.objects.filter(pk=-1).update(version=9) == 0
        for delete in DELETES:
            with pytest.raises(OwnershipError):
                WRITES[delete](model)


# --- admin -------------------------------------------------------------------------------------------


def page_of(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def staff_of(module: str) -> Client:
    return staff_client(f"staff_{module}", duty=module)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("entity", "writer"), OWNED)
def test_form_is_open_to_the_owners_staff_alone(erp: ErpDatabase, entity: str, writer: str, module: str) -> None:
    model: Any = owner_model(entity, writer)
    is_open = entity in ADDED_BY_FORM and module == writer
    staff = staff_of(module)
    assert staff.get(page_of(model, "changelist")).status_code == 200
    for answer in (staff.get(page_of(model, "add")), staff.post(page_of(model, "add"), {})):
        assert answer.status_code == (200 if is_open else 403)


def test_entities_added_by_form_are_written_by_their_serializer(erp: ErpDatabase) -> None:
    for entity in ADDED_BY_FORM:
        assert isinstance(admin.site._registry[owner_model(entity)], OwnedAdmin)


@pytest.mark.parametrize("module", MODULES)
def test_rows_are_changed_and_retired_by_the_owners_staff_alone(erp: ErpDatabase, module: str) -> None:
    model: Any = owner_model("customer")
    key = world.customer(f"For {module}")
    staff, is_owner = staff_of(module), module == "admin_app"
    change = staff.post(page_of(model, "change", key), {})
    assert change.status_code == (200 if is_owner else 403)  # the owner's staff see what is missing
    staff.post(page_of(model, "changelist"), {"action": "retire_selected", ACTION_CHECKBOX_NAME: [key]})
    assert (model.objects.get(pk=key).retired_at is not None) == is_owner
    staff.post(page_of(model, "changelist"), {"action": "delete_selected", ACTION_CHECKBOX_NAME: [key], "post": "yes"})
    assert staff.post(page_of(model, "delete", key), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=key).exists()


@pytest.mark.parametrize(("entity", "reader"), COPIES)
def test_copy_has_no_form_for_anybody(erp: ErpDatabase, entity: str, reader: str) -> None:
    model = copy_model(entity, reader)
    for client in (staff_of(reader), staff_of(ownership.entity(entity).owner), staff_client("boss", superuser=True)):
        assert client.get(page_of(model, "changelist")).status_code == 200
        assert client.get(page_of(model, "add")).status_code == 403
        assert client.post(page_of(model, "add"), {}).status_code == 403


def test_row_of_a_copy_is_shown_and_not_changed(erp: ErpDatabase) -> None:
    key = world.customer("Shown")
    for reader in ownership.entity("customer").readers:
        model: Any = copy_model("customer", reader)
        boss = staff_client("boss", superuser=True)
        assert boss.get(page_of(model, "change", key)).status_code == 200
        assert boss.post(page_of(model, "change", key), {"name": "X"}).status_code == 403
        assert boss.post(page_of(model, "delete", key), {"post": "yes"}).status_code == 403
        assert model.objects.get(pk=key).name == "Shown"


# --- REST --------------------------------------------------------------------------------------------


def api_of(module: str) -> ApiClient:
    return ApiClient(person(f"staff_{module}", duty=module))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("entity", "reader"), COPIES)
def test_write_at_a_reader_is_sent_to_the_owner(erp: ErpDatabase, entity: str, reader: str, method: str) -> None:
    key = None if method == "POST" else 1
    url = f"{PREFIX}/{reader}/{copy_collection(entity, reader)}/" + (f"{key}/" if key else "")
    for client in (api_of(reader), api_of(ownership.entity(entity).owner), ApiClient(person("boss", superuser=True))):
        answer = client.send(method, url, {"version": 9}, If_Match="*")
        assert answer.status_code == 405
        body = answer.json()
        assert (body["code"], body["owner"]) == ("not-the-owner", ownership.entity(entity).owner)
        assert body["owner_url"].endswith(owner_url(entity, key))


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("entity", "writer"), OWNED)
def test_collection_at_the_owner_is_written_by_its_staff_alone(
    erp: ErpDatabase, entity: str, writer: str, module: str
) -> None:
    url = f"{PREFIX}/{writer}/{collection(entity)}/"
    client = api_of(module)
    if module != writer:
        assert client.send("POST", url, {}).status_code == 403
        for method in ("PATCH", "PUT", "DELETE"):
            assert client.send(method, f"{url}1/", {}, If_Match="*").status_code == 403
        return
    # 400: what is missing is named; 405: written by operations (ship, receive…); 403: append-only, so for nobody.
    expected = {403} if ownership.entity(entity).append_only else {400, 405}
    assert client.send("POST", url, {}, Idempotency_Key="k").status_code in expected
    expected = {403} if ownership.entity(entity).append_only else {404, 405}
    for method in ("PATCH", "PUT", "DELETE"):
        assert client.send(method, f"{url}999999999/", {}, If_Match="*").status_code in expected
