"""Pictures of products: uploaded in the product's form, shown in the shop, refused by name when they are no use."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from admin_app.models import Product
from admin_app.services import pictures
from erp.models import User
from storefront.models import ProductCopy
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _media(module_erp: ErpDatabase, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def staff(module_erp: ErpDatabase) -> Client:
    user, _ = User.objects.get_or_create(username="boss", defaults={"is_staff": True, "is_superuser": True})
    client = Client()
    client.force_login(user)
    return client


def picture(kind: str = "JPEG", size: tuple[int, int] = (1600, 900), colour: str = "teal", name: str = "mug") -> Any:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return SimpleUploadedFile(f"{name}.{kind.lower()}", buffer.getvalue(), f"image/{kind.lower()}")


def form_of(product: Product, **changes: Any) -> dict[str, Any]:
    names = ("sku", "name", "product_class", "category", "description", "currency", "vat_code", "unit", "weight_g")
    fields = {name: getattr(product, name) for name in names}
    return {
        **fields, "base_price": str(product.base_price), "is_stocked": "on", "is_sellable": "on", "barcode": "",
        "attributes": "{}", "external_ref": "", "expected_version": product.version,
        "first_picture": product.image, **changes,
    }  # fmt: skip


def change(staff: Client, key: int, **changes: Any) -> Any:
    return staff.post(f"/admin/admin_app/product/{key}/change/", form_of(Product.objects.get(pk=key), **changes))


def test_uploaded_pictures_reach_the_shop_in_two_sizes(staff: Client) -> None:
    world.set_up_books()
    mug = world.product(name="Picture mug")
    done = change(staff, mug, new_pictures=[picture(), picture("PNG", (300, 900), "red", "side")])
    assert done.status_code == 302, done.context["errors"]
    copy = ProductCopy.objects.get(pk=mug)
    assert copy.image.startswith("/media/products/")
    assert len(copy.images) == 1
    page = Client().get(f"/p/picture-mug/{mug}/").content.decode()
    assert copy.image in page
    assert copy.images[0].replace("-1200", "-480") in page
    served = Client().get(copy.image)
    assert served["Content-Type"] == "image/webp"
    assert "immutable" in served["Cache-Control"]
    assert Image.open(io.BytesIO(served.getvalue())).size == (1200, 675)
    small = Client().get(copy.image.replace("-1200", "-480"))
    assert Image.open(io.BytesIO(small.getvalue())).size == (480, 270)


def test_pictures_are_taken_away_and_put_first(staff: Client) -> None:
    mug = world.product(name="Ordered pictures")
    change(staff, mug, new_pictures=[picture(colour=c) for c in ("red", "green", "blue")])
    red, green, blue = [Product.objects.get(pk=mug).image, *Product.objects.get(pk=mug).images]
    change(staff, mug, first_picture=blue, remove_pictures=[red])
    product = Product.objects.get(pk=mug)
    assert [product.image, *product.images] == [blue, green]
    change(staff, mug, remove_pictures=[blue, green])
    assert (Product.objects.get(pk=mug).image, Product.objects.get(pk=mug).images) == ("", [])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("note.jpg", b"<svg onload=alert(1)>"), "note.jpg is not a JPEG, PNG or WebP picture."),
        (picture("GIF", name="anim"), "anim.gif is not a JPEG, PNG or WebP picture."),
        (picture(size=(90, 90), name="icon"), "icon.jpeg has 90 × 90 pixels; please give one of at least 200 × 200."),
        (picture("PNG", (9000, 6000), name="huge"), "huge.png has 9000 × 6000 pixels"),
        (SimpleUploadedFile("cut.jpg", picture().read()[:3000]), "cut.jpg is damaged"),
        (SimpleUploadedFile("big.png", b"0" * (pictures.MAX_BYTES + 1)), "big.png has 8.0 MB"),
    ],
)
def test_unusable_files_are_refused_by_name(staff: Client, file: Any, said: str) -> None:
    mug = world.product()
    file.seek(0)
    page = change(staff, mug, new_pictures=[file])
    assert page.status_code == 200
    assert said in page.content.decode()
    assert Product.objects.get(pk=mug).image == ""
    assert not list(pictures.folder().glob("*"))


def test_what_a_picture_carries_besides_pixels_is_not_served(staff: Client) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (400, 300), "navy").save(buffer, "JPEG", exif=exif)
    mug = world.product()
    change(staff, mug, new_pictures=[SimpleUploadedFile("trip.jpg", buffer.getvalue() + b"<?php evil(); ?>")])
    served = Client().get(Product.objects.get(pk=mug).image).getvalue()
    assert b"taken at home" not in served
    assert b"evil" not in served


def files() -> set[str]:
    return {path.name for path in pictures.folder().glob("*")}


def test_files_of_pictures_taken_off_are_deleted_unless_another_product_shows_them(staff: Client) -> None:
    mug, jug = world.product(name="First of two"), world.product(name="Second of two")
    change(staff, mug, new_pictures=[picture(colour="red"), picture(colour="green")])
    change(staff, jug, new_pictures=[picture(colour="green")])
    red, green = pictures.pictures_of(Product.objects.get(pk=mug))
    change(staff, mug, remove_pictures=[red, green])
    assert files() == {Path(green).name, Path(green).name.replace("1200", "480")}
    assert Client().get(red).status_code == 404
    change(staff, jug, remove_pictures=[green])
    assert files() == set()


def test_refused_change_deletes_no_file(staff: Client) -> None:
    mug = world.product(name="Refused change")
    change(staff, mug, new_pictures=[picture(colour="red")])
    url = Product.objects.get(pk=mug).image
    change(staff, mug, remove_pictures=[url], vat_code="no such code")
    change(staff, mug, remove_pictures=[url], expected_version=1)
    assert Path(url).name in files()


def test_uploads_of_forms_never_saved_are_swept_up_after_a_day(staff: Client) -> None:
    mug = world.product(name="Swept")
    change(staff, mug, new_pictures=[picture(colour="red")])
    kept = files()
    change(staff, mug, new_pictures=[picture(colour="blue")], vat_code="no such code")
    assert len(files()) == 4
    assert pictures.sweep(time.time()) == 0
    assert pictures.sweep(time.time() + 90_000) == 2
    assert files() == kept


def test_nothing_else_is_served_from_the_media_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    for path in ("/media/secret.txt", "/media/products/../secret.txt", "/media/products/%2e%2e%2fsecret.txt"):
        assert Client().get(path).status_code == 404, path
