"""Forgotten and changed passwords of shop accounts."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone

from erp.db import module_transaction
from erp.models import User
from erp.ownership import PLATFORM
from erp.relay import enqueue
from storefront.models import ShopAccount
from storefront.services.accounts import LinkExpired


def ask_for_reset(email: str) -> None:
    """Send a link to set a new password, if there is an account with this address; the caller learns nothing.

    Staff are left out: what opens the back office is not handed out by mail.
    """
    account = ShopAccount.objects.filter(email=email.strip().lower()).first()
    user = get_user_model().objects.filter(pk=account.user_id).first() if account else None
    if account is None or user is None or user.is_staff or not _may_log_in(user, account):
        return
    with module_transaction("storefront"):
        enqueue("storefront", "mail_reset", f"{user.pk}:{timezone.now():%Y%m%d%H%M}", {"user_id": user.pk})


def reset_token(user_id: int) -> str:
    """Token of a reset link: for this user, until the password changes or somebody logs in, for three days."""
    return default_token_generator.make_token(get_user_model().objects.get(pk=user_id))


def find_by_token(user_id: int, token: str) -> User:
    """The user of a reset link. Raises LinkExpired."""
    user: User | None = get_user_model().objects.filter(pk=user_id, is_staff=False).first()
    account = ShopAccount.objects.filter(user_id=user_id).first()
    if user is None or account is None or not default_token_generator.check_token(user, token):
        raise LinkExpired
    if not _may_log_in(user, account):
        raise LinkExpired
    return user


def set_password(user: User, password: str) -> None:
    """Set a new password. Who came by a mailed link has proved to read the address: it counts as confirmed."""
    with module_transaction(PLATFORM):
        user.set_password(password)
        user.is_active = True
        user.save(update_fields=["password", "is_active"])
    with module_transaction("storefront"):
        ShopAccount.objects.filter(user_id=user.pk, confirmed_at=None).update(confirmed_at=timezone.now())


def change_password(user: User, password: str) -> None:
    """Set another password of somebody who is logged in."""
    with module_transaction(PLATFORM):
        user.set_password(password)
        user.save(update_fields=["password"])


def _may_log_in(user: User, account: ShopAccount) -> bool:
    """Whether the log-in is open, or only waits for its address to be confirmed."""
    return user.is_active or account.confirmed_at is None
