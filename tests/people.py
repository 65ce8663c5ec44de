"""People and clients for tests over HTTP."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from rest_framework.authtoken.models import Token

from erp.duties import INTEGRATORS, group_name
from erp.models import User


def person(name: str, *, duty: str = "", superuser: bool = False) -> User:
    """A staff member with a module's duty (or ``Integrators``), made once per database."""
    user, created = User.objects.get_or_create(
        username=name, defaults={"is_staff": duty != INTEGRATORS, "is_superuser": superuser}
    )
    if created and duty:
        user.groups.add(Group.objects.get(name=duty if duty == INTEGRATORS else group_name(duty)))
    return user


def staff_client(name: str, *, duty: str = "", superuser: bool = False) -> Client:
    """Browser of a staff member, logged in."""
    client = Client()
    client.force_login(person(name, duty=duty, superuser=superuser))
    return client


class ApiClient:
    """JSON client of one user's token."""

    def __init__(self, user: User) -> None:
        token, _ = Token.objects.get_or_create(user=user)
        self._client = Client(headers={"Authorization": f"Token {token.key}"})

    def raise_errors(self, is_on: bool) -> None:
        """Whether an unforeseen error fails the test (the default) or is answered as in production."""
        self._client.raise_request_exception = is_on

    def get(self, url: str, **headers: str) -> Any:
        """GET; underscores in header names become hyphens."""
        return self._client.get(url, headers=_headers(headers))

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """POST, PATCH, PUT or DELETE of a JSON body."""
        return self._client.generic(
            method, url, json.dumps(body or {}), content_type="application/json", headers=_headers(headers)
        )


def _headers(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}
