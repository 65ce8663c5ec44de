"""Accounts of shoppers: registration, confirmation, throttled log-in, forgotten passwords, details, addresses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from admin_app import api as admin
from admin_app.services.erasure import erase_customer
from erp.models import User
from erp.relay import run_relay
from storefront.models import AttemptCount, CustomerCopy, ShopAccount
from storefront.services import accounts, throttle
from storefront.services.erasing import forget_erased
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase, settings: Any) -> None:
    # Hundreds of log-ins: how slow a hash is does not matter to what is asserted here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.set_up_books()
    world.delivery()
    AttemptCount.objects.all().delete()
    run_relay("storefront")
    mail.outbox.clear()


def links() -> list[str]:
    """Paths in the mails that were sent."""
    run_relay("storefront")
    return [
        path for message in mail.outbox for path in re.findall(r"http://127\.0\.0\.1:8000(/\S+)", str(message.body))
    ]


def log_in(email: str, password: str, **extra: Any) -> int:
    client = Client(**extra)
    return client.post("/account/login/", {"email": email, "password": password}).status_code


def test_new_account_is_asked_to_confirm_and_can_be_asked_again() -> None:
    client = Client()
    client.post("/account/register/", {"name": "Új Éva", "email": "eva@example.com", "password": "eva-secret-1"})
    assert "Send it again" in client.get("/account/").content.decode()
    client.post("/account/confirm/again/")
    first, second = links()
    assert Client().get(second).status_code == 200
    assert "Send it again" not in client.get("/account/").content.decode()
    assert ShopAccount.objects.get(email="eva@example.com").confirmed_at is not None


def test_confirmation_link_does_not_open_a_closed_log_in() -> None:
    customer = world.account("closed@example.com")
    user = User.objects.get(username="closed@example.com")
    user.is_active = False
    user.save()
    Client().get(f"/account/confirm/{accounts.confirmation_token(user.pk)}/")
    user.refresh_from_db()
    assert not user.is_active
    Client().post("/account/forgotten/", {"email": "closed@example.com"})
    assert links() == []
    assert customer.pk


def test_guessing_passwords_is_slowed_down_for_the_account() -> None:
    world.account("guessed@example.com", "guessed-secret-1")
    for n in range(throttle.LOG_IN_ACCOUNT.attempts):
        assert log_in("Guessed@example.com", f"wrong-{n}", REMOTE_ADDR=f"10.0.0.{n}") == 422
    client = Client()
    refused = client.post("/account/login/", {"email": "guessed@example.com", "password": "guessed-secret-1"})
    assert refused.status_code == 429
    assert "Too many attempts. Please try again in 15 minutes." in refused.content.decode()
    assert 0 < int(refused["Retry-After"]) <= throttle.LOG_IN_ACCOUNT.within_s
    AttemptCount.objects.filter(kind="log-in account").update(began_at="2020-01-01T00:00:00Z")
    assert log_in("guessed@example.com", "guessed-secret-1") == 302


def test_log_in_that_succeeds_starts_the_count_anew() -> None:
    world.account("clumsy@example.com", "clumsy-secret-1")
    for _ in range(3):
        for _ in range(throttle.LOG_IN_ACCOUNT.attempts - 1):
            assert log_in("clumsy@example.com", "wrong") == 422
        assert log_in("clumsy@example.com", "clumsy-secret-1") == 302


def test_one_address_that_tries_many_accounts_is_slowed_down(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    AttemptCount.objects.all().delete()
    for n in range(throttle.LOG_IN_ADDRESS.attempts):
        # What a client writes into the header before our own proxy adds to it does not count.
        assert log_in(f"{n}@example.com", "x", HTTP_X_FORWARDED_FOR=f"1.2.3.{n}, 9.9.9.9") == 422
    assert log_in("another@example.com", "x", HTTP_X_FORWARDED_FOR="4.4.4.4, 9.9.9.9") == 429
    assert log_in("another@example.com", "x", HTTP_X_FORWARDED_FOR="9.9.9.9, 8.8.8.8") == 422


def test_guests_orders_cannot_be_guessed_quickly() -> None:
    for _ in range(throttle.LOOK_UP_ADDRESS.attempts):
        assert Client().post("/orders/find/", {"number": "SO-1", "email": "x@example.com"}).status_code == 422
    assert Client().post("/orders/find/", {"number": "SO-1", "email": "x@example.com"}).status_code == 429


def test_forgotten_password_is_set_by_a_link_that_works_once() -> None:
    world.account("forgot@example.com", "first-secret-1")
    old_session = world.logged_in("forgot@example.com", "first-secret-1")
    asked = Client().post("/account/forgotten/", {"email": "Forgot@example.com"})
    unknown = Client().post("/account/forgotten/", {"email": "nobody@example.com"})
    assert asked.context["text"] == unknown.context["text"]
    (link,) = links()
    assert Client().post(link, {"password": "short"}).status_code == 422
    assert Client().post(link, {"password": "second-secret-2"})["Location"] == "/account/login/"
    assert Client().get(link).status_code == 410
    assert log_in("forgot@example.com", "first-secret-1") == 422
    assert log_in("forgot@example.com", "second-secret-2") == 302
    assert old_session.get("/account/")["Location"].startswith("/account/login/")


def test_staff_log_ins_are_not_handed_out_by_mail() -> None:
    world.account("clerk@example.com")
    User.objects.filter(username="clerk@example.com").update(is_staff=True)
    Client().post("/account/forgotten/", {"email": "clerk@example.com"})
    assert links() == []


@pytest.mark.parametrize("path", ["/account/reset/abc/def/", "/account/reset/MQ/x-y/", "/account/reset/%00/%00/"])
def test_made_up_reset_links_are_refused(path: str) -> None:
    assert Client().get(path).status_code == 410


def test_password_is_changed_by_who_knows_it() -> None:
    world.account("change@example.com", "present-secret-1")
    client = world.logged_in("change@example.com", "present-secret-1")
    wrong = client.post("/account/password/", {"present": "nope", "password": "future-secret-2"})
    assert "This is not your present password." in wrong.content.decode()
    assert (
        client.post("/account/password/", {"present": "present-secret-1", "password": "future-secret-2"}).status_code
        == 302
    )
    assert client.get("/account/").status_code == 200
    assert log_in("change@example.com", "future-secret-2") == 302


def test_details_are_written_at_their_owner() -> None:
    customer = world.account("details@example.com", name="Régi Név")
    client = world.logged_in("details@example.com")
    said = {"name": "Új Név", "phone": "+36 1 234", "language": "en", "street": "Új u. 1.", "postcode": "1111",
            "city": "Budapest", "country": "HU"}  # fmt: skip
    assert client.post("/account/details/", said)["Location"] == "/account/"
    assert admin.get_customer(customer.pk)["name"] == "Új Név"
    assert CustomerCopy.objects.get(pk=customer.pk).language == "en"


def test_address_book_is_kept_and_only_ones_own() -> None:
    customer = world.account("book@example.com")
    client = world.logged_in("book@example.com")
    said = {
        "kind": "delivery",
        "name": "Nagymama",
        "street": "Kis u. 3.",
        "postcode": "7621",
        "city": "Pécs",
        "country": "HU",
    }
    client.post("/account/addresses/new/", said)
    client.post("/account/addresses/new/", {**said, "kind": "billing", "name": "Cég Kft."})
    first, second = admin.list_addresses(customer.pk)
    client.post(f"/account/addresses/{first['id']}/", {**said, "street": "Nagy u. 4."})
    assert [a["street"] for a in admin.list_addresses(customer.pk)] == ["Nagy u. 4.", "Kis u. 3."]
    page = client.get("/account/addresses/").content.decode()
    assert "Nagymama" in page
    assert "Cég Kft." in page
    world.account("stranger@example.com")
    stranger = world.logged_in("stranger@example.com")
    assert stranger.get(f"/account/addresses/{first['id']}/").status_code == 404
    stranger.post(f"/account/addresses/{first['id']}/remove/")
    assert len(admin.list_addresses(customer.pk)) == 2
    client.post(f"/account/addresses/{first['id']}/remove/")
    assert [a["id"] for a in admin.list_addresses(customer.pk)] == [second["id"]]


def test_own_pages_ask_a_guest_to_log_in() -> None:
    for path in ("/account/details/", "/account/addresses/", "/account/addresses/new/", "/account/password/"):
        assert Client().get(path)["Location"] == f"/account/login/?next={path}"


def test_saved_address_fills_the_checkout() -> None:
    customer = world.account("chooser@example.com", name="Maga Név")
    client = world.logged_in("chooser@example.com")
    said = {"kind": "delivery", "name": "Nagymama", "street": "Kis u. 3.", "postcode": "7621", "city": "Pécs"}
    client.post("/account/addresses/new/", {**said, "country": "HU"})
    client.post(f"/cart/add/{world.product(stock=3)}/", {"quantity": "1"})
    (address,) = admin.list_addresses(customer.pk)
    link = f"/checkout/?address={address['id']}"
    assert f'href="{link}"' in client.get("/checkout/").content.decode()
    form = client.get(link).context["form"]
    assert (form["ship_name"].value(), form["ship_street"].value()) == ("Nagymama", "Kis u. 3.")
    world.account("other@example.com", name="Más Név")
    other = world.logged_in("other@example.com")
    other.post(f"/cart/add/{world.product(stock=3)}/", {"quantity": "1"})
    assert other.get(link).context["form"]["ship_name"].value() == "Más Név"


def test_cart_of_a_company_turns_to_net_prices_at_log_in_without_alarm() -> None:
    world.account("company@example.com", is_company=True, name="Cég Kft.")
    mug, pot = world.product("1000", stock=3, name="Net mug"), world.product("500", stock=3, name="Net pot")
    world.logged_in("company@example.com").post(f"/cart/add/{pot}/", {"quantity": "1"})
    client = Client()
    client.post(f"/cart/add/{mug}/", {"quantity": "1"})
    said = {"email": "company@example.com", "password": "anna-secret-1", "next": "/cart/"}
    page = client.post("/account/login/", said, follow=True)
    assert "What you had put into your cart at your last visit is there, too." in page.content.decode()
    assert {(line["name"], line["unit_price"], line["message"]) for line in page.context["lines"]} == {
        ("Net mug", 1000, ""), ("Net pot", 500, ""),
    }  # fmt: skip
    world.product("1100", sku=next(x["sku"] for x in page.context["lines"] if x["name"] == "Net mug"), name="Net mug")
    assert "The price has changed from 1,000\u00a0Ft to 1,100\u00a0Ft." in client.get("/cart/").content.decode()


def test_log_in_of_an_erased_customer_is_closed_and_forgotten() -> None:
    customer = world.account("gone@example.com", name="Távozó Tamás")
    world.account("stays@example.com")
    session = world.logged_in("gone@example.com")
    erase_customer(customer.pk, actor=world.SHOPPER)
    assert forget_erased()["accounts"] == 1
    assert forget_erased()["accounts"] == 0
    assert not User.objects.filter(email="gone@example.com").exists()
    assert not ShopAccount.objects.filter(email="gone@example.com").exists()
    assert session.get("/account/").status_code == 302
    assert log_in("gone@example.com", "anna-secret-1") == 422
    assert log_in("stays@example.com", "anna-secret-1") == 302
