"""Demo people: one administrator, one staff member per module, one integrator with an API token.

The passwords are simple on purpose and printed at start; an installation that is not a demo makes its own people
with ``manage.py createsuperuser``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group
from rest_framework.authtoken.models import Token

from erp import ownership
from erp.duties import INTEGRATORS, group_name
from erp.models import User


@dataclass(frozen=True)
class Login:
    """A demo login as it is printed."""

    username: str
    password: str
    may: str
    token: str = ""


_STAFF_NAMES = {"admin_app": "admin_staff", "finance": "finance", "logistics": "logistics", "storefront": "storefront"}


SHOPPERS = {
    "anna.kiss@example.com": "anna",
    "bela.nagy@example.com": "bela",
    "rendeles@kavehaz.example.com": "kavehaz",
}
"""E-mail address → password of the customers who can log in to the demo shop."""


def create_people() -> list[Login]:
    """Create the demo people with their duties, once; people who exist keep their passwords."""
    _person("admin", superuser=True)
    for module in ownership.MODULES:
        _person(_STAFF_NAMES[module], group=group_name(module), staff=True)
    integrator = _person("integrator", group=INTEGRATORS)
    Token.objects.get_or_create(user=integrator, defaults={"key": _token_key()})
    return logins()


def logins() -> list[Login]:
    """The demo logins that exist, for printing at start."""
    may = {"admin": "everything"}
    may |= {_STAFF_NAMES[m]: f"{ownership.MODULE_LABELS[m]}'s duty; sees all" for m in ownership.MODULES}
    may["integrator"] = "REST API"
    tokens = dict(Token.objects.values_list("user__username", "key"))
    present = set(User.objects.filter(username__in=may).values_list("username", flat=True))
    staff = [Login(name, name, what, tokens.get(name, "")) for name, what in may.items() if name in present]
    shoppers = User.objects.filter(username__in=SHOPPERS).values_list("username", flat=True).order_by("username")
    return staff + [Login(name, SHOPPERS[name], "shops as a customer") for name in shoppers]


def _person(name: str, *, group: str = "", staff: bool = False, superuser: bool = False) -> User:
    user, created = User.objects.get_or_create(
        username=name,
        defaults={"email": f"{name}@example.com", "is_staff": staff or superuser, "is_superuser": superuser},
    )
    if created:
        user.set_password(name)
        user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def _token_key() -> str:
    """Token of this installation's integrator: the same at every start, another in every installation."""
    return hashlib.sha256(f"integrator {settings.SECRET_KEY}".encode()).hexdigest()[:40]
