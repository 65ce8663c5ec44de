"""Shop accounts: registration through Admin's API (write-through), guests' customers, e-mail confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core import signing
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from admin_app import api as admin
from erp.actor import Actor
from erp.db import module_transaction
from erp.errors import NotFound, Refused
from erp.ownership import PLATFORM
from erp.relay import enqueue
from storefront.models import CustomerCopy, ShopAccount

CONFIRMATION_SALT = "storefront.confirm-email"
CONFIRMATION_DAYS = 3


class AccountExists(Refused):
    """There is an account with this e-mail address already; please log in."""

    code = "account-exists"


class LinkExpired(Refused):
    """This link has expired or is not complete; please ask for a new one."""

    code = "link-expired"


@dataclass(frozen=True)
class Registered:
    """Outcome of a registration."""

    user_id: int
    customer_id: int
    must_confirm: bool  # the address has a history in the shop: only who reads its mail may see it


def find_customer(email: str) -> CustomerCopy | None:
    """The customer who uses an e-mail address."""
    return CustomerCopy.objects.filter(email=email.lower(), retired_at=None).first() if email else None


def customer_of_guest(
    *, email: str, phone: str, address: Mapping[str, Any], language: str, actor: Actor
) -> CustomerCopy:
    """The customer record behind a guest's order: the one with this e-mail address, or a new one.

    A guest never changes an existing record: what was typed stands on the order alone.
    """
    return find_customer(email) or _register_customer(
        {
            "name": address["name"], "email": email.lower(), "phone": phone, "country": address["country"],
            "postcode": address["postcode"], "city": address["city"], "street": address["street"],
            "tax_number": address.get("tax_number", ""), "language": language,
        },
        actor,
    )  # fmt: skip


def _register_customer(data: dict[str, Any], actor: Actor) -> CustomerCopy:
    try:
        made = admin.register_customer(data, actor=actor)
    except (ValidationError, IntegrityError):
        raced = find_customer(data["email"])  # another request registered the same address just now
        if raced is None:
            raise
        return raced
    return CustomerCopy.objects.get(pk=made["id"])


def register(name: str, email: str, password: str, *, language: str, actor: Actor) -> Registered:
    """Open a shop account: a customer at Admin, a platform user, and the link between them.

    Three owners, hence three transactions, in an order in which a repeat after a crash takes up where the first
    attempt ended. The log-in works from the start for a new address; an address that already has a history is
    active once confirmed by mail.

    Raises:
        AccountExists: this e-mail address has an account.
        ReaderUnavailable: a reader did not confirm the new customer; nothing has changed.
    """
    address = email.lower()
    users = get_user_model().objects
    user = users.filter(username=address).first()
    if user is not None and (user.is_active or ShopAccount.objects.filter(user_id=user.pk).exists()):
        raise AccountExists
    known = find_customer(address)
    customer = known or _register_customer({"name": name, "email": address, "language": language}, actor)
    with module_transaction(PLATFORM):
        if user is None:
            user = users.create_user(username=address, email=address, first_name=name[:150], is_active=False)
        user.set_password(password)
        user.is_active = known is None
        user.save()
    with module_transaction("storefront"):
        ShopAccount.objects.update_or_create(user_id=user.pk, defaults={"customer_id": customer.pk, "email": address})
        enqueue("storefront", "mail_confirmation", f"{user.pk}:{timezone.now():%Y%m%d%H%M%S}", {"user_id": user.pk})
    return Registered(user.pk, customer.pk, must_confirm=known is not None)


def confirmation_token(user_id: int) -> str:
    """Signed token that proves somebody reads the account's mail."""
    return signing.dumps(user_id, salt=CONFIRMATION_SALT)


def confirm(token: str) -> ShopAccount:
    """Confirm the address behind a token and let its user log in. Raises LinkExpired."""
    try:
        user_id = signing.loads(token, salt=CONFIRMATION_SALT, max_age=CONFIRMATION_DAYS * 86_400)
    except signing.BadSignature as error:
        raise LinkExpired from error
    account = ShopAccount.objects.filter(user_id=user_id).first()
    if account is None:
        raise LinkExpired
    if account.confirmed_at is None:  # a link that was used cannot open a log-in that staff has closed since
        with module_transaction(PLATFORM):
            get_user_model().objects.filter(pk=user_id).update(is_active=True)
        with module_transaction("storefront"):
            ShopAccount.objects.filter(pk=account.pk, confirmed_at=None).update(confirmed_at=timezone.now())
    return account


def send_confirmation(user_id: int) -> None:
    """Mail the confirmation link (again)."""
    with module_transaction("storefront"):
        enqueue("storefront", "mail_confirmation", f"{user_id}:{timezone.now():%Y%m%d%H%M%S%f}", {"user_id": user_id})


def link_account(user_id: int, customer_id: int, email: str) -> None:
    """Let a platform user shop as a customer (demo data, support); a repeat changes nothing."""
    if not CustomerCopy.objects.filter(pk=customer_id).exists():
        raise NotFound(f"There is no customer {customer_id}")
    with module_transaction("storefront"):
        ShopAccount.objects.get_or_create(
            user_id=user_id, defaults={"customer_id": customer_id, "email": email, "confirmed_at": timezone.now()}
        )
