"""Log in for scripts: user name and password for an API token."""

from __future__ import annotations

from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.throttling import AnonRateThrottle


class LoginThrottle(AnonRateThrottle):
    """Guessing passwords is slow: thirty tries a minute and address."""

    rate = "30/min"


class TokenView(ObtainAuthToken):
    """POST ``username`` and ``password``; the answer is ``{"token"}``, the same one each time."""

    throttle_classes = (LoginThrottle,)
