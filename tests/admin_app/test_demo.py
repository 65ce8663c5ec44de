"""The demo: loaded once, repeated without effect."""

from __future__ import annotations

from pathlib import Path

from django.test import Client
from pytest_django import Settings

from admin_app.models import Customer, Product
from admin_app.services.demo import load_demo
from erp.actor import SYSTEM
from erp.demo import create_people, logins
from tests.databases import ErpDatabase


def test_demo_is_loaded_once_and_keeps_what_was_edited(erp: ErpDatabase, tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    first = load_demo(SYSTEM)
    assert first["products"] >= 20
    assert first["customers"] >= 5
    assert load_demo(SYSTEM) == {"products": 0, "customers": 0}
    assert set(Product.objects.values_list("version", flat=True)) == {1}
    for url in Product.objects.filter(product_class="goods").values_list("image", flat=True):
        assert (tmp_path / "products" / Path(url).name).exists(), url
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.webp")) < 400_000
    assert set(Customer.objects.values_list("version", flat=True)) == {1}


def test_demo_people_can_log_in_with_the_printed_passwords(erp: ErpDatabase) -> None:
    create_people()
    create_people()
    found = {login.username: login for login in logins()}
    assert set(found) == {"admin", "admin_staff", "finance", "logistics", "storefront", "integrator"}
    for login in found.values():
        assert Client().login(username=login.username, password=login.password)
    token = {"Authorization": f"Token {found['integrator'].token}"}
    answer = Client().get("/api/v1/admin_app/products/", headers=token)
    assert answer.status_code == 200
