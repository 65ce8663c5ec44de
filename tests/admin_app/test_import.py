"""Import of files in the admin: the preview writes nothing, the confirmed file goes through the bulk serializer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from admin_app.models import ChangeJournal, Customer, Product
from erp.publishing import copy_model
from tests.databases import ErpDatabase
from tests.people import staff_client

PRODUCTS = "/admin/admin_app/product/"
CSV, XLSX = "0", "1"


def upload(staff: Client, content: bytes, kind: str = CSV, url: str = PRODUCTS) -> Any:
    file = SimpleUploadedFile("file.csv" if kind == CSV else "file.xlsx", content)
    return staff.post(f"{url}import/", {"format": kind, "import_file": file, "resource": ""})


def confirm(staff: Client, preview: Any, url: str = PRODUCTS) -> Any:
    form = preview.context["confirm_form"]
    return staff.post(f"{url}process_import/", form.initial, follow=True)


def csv(*lines: str) -> bytes:
    return ("sku,name,base_price,is_stocked\n" + "\n".join(lines)).encode()


def test_preview_writes_nothing(staff: Client) -> None:
    before = ChangeJournal.objects.count()
    preview = upload(staff, csv("I-1,Mug,2.50,true"))
    assert preview.status_code == 200
    assert preview.context["result"].totals["new"] == 1
    assert not Product.objects.filter(sku="I-1").exists()
    assert ChangeJournal.objects.count() == before


def test_confirmed_file_reaches_every_reader(staff: Client) -> None:
    confirm(staff, upload(staff, csv("I-2,Mug,2.50,true", "I-3,Cup,1.10,false")))
    made = Product.objects.get(sku="I-3")
    assert (str(made.base_price), made.is_stocked, made.version) == ("1.100000", False, 1)
    copy: Any = copy_model("product", "storefront")
    assert copy.objects.get(pk=made.pk).name == "Cup"


def test_equal_rows_are_skipped_and_changed_ones_updated(staff: Client) -> None:
    confirm(staff, upload(staff, csv("I-4,Mug,2.50,true", "I-5,Cup,1.10,true")))
    preview = upload(staff, csv("I-4,Mug,2.50,true", "I-5,Cup,9.99,true"))
    assert (preview.context["result"].totals["skip"], preview.context["result"].totals["update"]) == (1, 1)
    confirm(staff, preview)
    assert Product.objects.get(sku="I-4").version == 1
    assert Product.objects.get(sku="I-5").version == 2


def test_wrong_rows_are_named_and_the_file_is_not_offered(staff: Client) -> None:
    preview = upload(staff, csv("I-6,Mug,dear,true", "I-7,Cup,1.10,true", "I-7,Cup,1.10,true"))
    invalid = preview.context["result"].invalid_rows
    assert [(row.number, set(row.error_dict)) for row in invalid] == [(1, {"base_price"}), (3, {"sku"})]
    assert "confirm_form" not in preview.context


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sku,nonsense\nI-8,x", "Unknown columns: nonsense"),
        (b"name,base_price\nMug,1", "The column sku is missing"),
    ],
)
def test_wrong_header_is_explained(staff: Client, content: bytes, message: str) -> None:
    assert message in upload(staff, content).content.decode()


def test_spreadsheet_with_numbers_as_codes_is_read(staff: Client) -> None:
    book = openpyxl.Workbook()
    book.active.append(["sku", "name", "base_price", "barcode"])
    book.active.append([22423, "Cakestand", 12.75, 5991234567890])
    content = BytesIO()
    book.save(content)
    confirm(staff, upload(staff, content.getvalue(), XLSX))
    made = Product.objects.get(sku="22423")
    assert (str(made.base_price), made.barcode) == ("12.750000", "5991234567890")


def test_file_of_customers_is_imported_by_reference(staff: Client) -> None:
    url = "/admin/admin_app/customer/"
    content = "external_ref,name,email\nold:1,Anna,\nold:2,Béla,B@example.com\n".encode()
    confirm(staff, upload(staff, content, url=url), url)
    made = Customer.objects.get(external_ref="old:2")
    assert (made.name, made.email, made.number[0]) == ("Béla", "b@example.com", "C")


def test_locked_reader_refuses_the_whole_file(staff: Client, erp: ErpDatabase) -> None:
    preview = upload(staff, csv("I-9,Mug,2.50,true"))
    with erp.connect("storefront_ddl") as other, other.transaction():
        other.execute("lock table product_copy in access exclusive mode")
        page = confirm(staff, preview)
    assert "Nothing was imported." in page.content.decode()
    assert not Product.objects.filter(sku="I-9").exists()


def test_other_staff_cannot_import(erp: ErpDatabase) -> None:
    assert staff_client("finance_staff", duty="finance").get(f"{PRODUCTS}import/").status_code == 403


def test_exported_file_can_be_imported_again(staff: Client) -> None:
    confirm(staff, upload(staff, csv("I-10,Mug,2.50,true")))
    exported = staff.post(f"{PRODUCTS}export/", {"format": CSV, "resource": ""} | exported_fields(staff))
    assert exported["Content-Type"] == "text/csv"
    preview = upload(staff, exported.content)
    assert not preview.context["result"].has_validation_errors(), preview.context["result"].invalid_rows
    assert preview.context["result"].totals["update"] == 0


def exported_fields(staff: Client) -> dict[str, str]:
    form = staff.get(f"{PRODUCTS}export/").context["form"]
    return {name: "on" for name in form.fields if name.startswith("productresource_")}
