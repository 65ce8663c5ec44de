"""A provider reached over HTTP with signed JSON, as the local stand-in speaks it."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any

from erp.fields import dump_json, load_json
from storefront.services.cards.provider import Payment, ProviderRefused, ProviderState, ProviderUnavailable
from storefront.services.cards.signing import HEADER, sign

TIMEOUT_S = 5.0
PAUSE_S = 15.0  # after a call that hung: a provider that hangs must not hold up every worker and shopper
MAX_ANSWER = 65_536


_hung_until: dict[str, float] = {}  # by address, on this process's monotonic clock


class HttpCardProvider:
    """Calls ``<url>/api/payments/…``; no call runs while a lock or a transaction is held."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url.rstrip("/")
        self._secret = secret

    def start(self, payment: Payment) -> str:
        """Announce a payment."""
        names = ("amount", "currency", "description", "return_url", "callback_url", "expires_at")
        answer = self._call(payment.ref, "start", {name: getattr(payment, name) for name in names})
        return str(answer["pay_url"])

    def find(self, ref: str) -> ProviderState | None:
        """What became of a payment."""
        answer = self._call(ref, "find", {})
        return None if answer.get("state") == "unknown" else _state(answer)

    def capture(self, ref: str, amount: Decimal, key: str) -> ProviderState:
        """Take part of the authorised money."""
        return _state(self._call(ref, "capture", {"amount": amount, "key": key}))

    def refund(self, ref: str, amount: Decimal, key: str) -> ProviderState:
        """Give back part of what was captured."""
        return _state(self._call(ref, "refund", {"amount": amount, "key": key}))

    def void(self, ref: str) -> ProviderState:
        """Release what is not captured."""
        return _state(self._call(ref, "void", {}))

    def _call(self, ref: str, action: str, data: dict[str, Any]) -> dict[str, Any]:
        if time.monotonic() < _hung_until.get(self._url, 0.0):
            raise ProviderUnavailable("The card service did not answer a moment ago")
        body = dump_json({**data, "ref": ref}).encode()
        request = urllib.request.Request(  # noqa: S310  the URL is the installation's own setting
            f"{self._url}/api/payments/{ref}/{action}", body,
            {"Content-Type": "application/json", HEADER: sign(self._secret, body)},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                found = load_json(answer.read(MAX_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                text = error.read(2000).decode(errors="replace")
            if error.code == http.client.CONFLICT:
                raise ProviderRefused(f"The card service refuses to {action}: {text}") from error
            raise ProviderUnavailable(f"The card service answered {error.code} to {action}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(getattr(error, "reason", error), TimeoutError):
                _hung_until[self._url] = time.monotonic() + PAUSE_S
            raise ProviderUnavailable(f"The card service does not answer to {action}: {error}") from error
        if not isinstance(found, dict):
            raise ProviderUnavailable("The card service's answer cannot be read")
        return found


def _state(answer: dict[str, Any]) -> ProviderState:
    try:
        return ProviderState.of(answer)
    except ValueError as error:
        raise ProviderUnavailable(f"The card service's answer cannot be read: {error}") from error
