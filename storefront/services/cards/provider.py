"""What the shop asks of a card provider. Every call may be repeated: the provider knows it by reference and key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.conf import settings

from erp.errors import ErpError, Refused

PENDING, AUTHORISED, DECLINED, VOIDED = "pending", "authorised", "declined", "voided"
STATES = (PENDING, AUTHORISED, DECLINED, VOIDED)


class ProviderUnavailable(ErpError):
    """The card service does not answer at the moment; please try again."""

    code = "card-provider-unavailable"
    status = 503
    retry_after_s = 5


class ProviderRefused(Refused):
    """The card service refuses this."""

    code = "card-provider-refused"


@dataclass(frozen=True)
class ProviderState:
    """What the provider says of a payment; of two, the one with the higher ``sequence`` is newer."""

    ref: str
    sequence: int
    state: str  # pending | authorised | declined | voided
    captured: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)

    @classmethod
    def of(cls, data: Any) -> ProviderState:
        """Read an answer or callback. Raises ValueError naming what cannot be read."""
        if not isinstance(data, dict) or data.get("state") not in STATES:
            raise ValueError("no payment with a known state")
        try:
            amounts = [Decimal(str(data.get(name, 0))) for name in ("captured", "refunded")]
            return cls(str(data["ref"]), int(data["sequence"]), data["state"], *amounts)
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"a payment lacks something: {error}") from error


@dataclass(frozen=True)
class Payment:
    """What is to be paid, and where browser and callback go."""

    ref: str
    amount: Decimal
    currency: str
    description: str
    return_url: str
    callback_url: str
    expires_at: datetime


class CardProvider(Protocol):
    """A provider: Storefront needs nothing else of one. All raise ProviderUnavailable and ProviderRefused."""

    def start(self, payment: Payment) -> str:
        """Announce a payment; returns the URL of the page where the shopper pays. A repeat gives the same."""

    def find(self, ref: str) -> ProviderState | None:
        """What became of a payment; None when the provider has never heard of it."""

    def capture(self, ref: str, amount: Decimal, key: str) -> ProviderState:
        """Take part of the authorised money."""

    def refund(self, ref: str, amount: Decimal, key: str) -> ProviderState:
        """Give back part of what was captured."""

    def void(self, ref: str) -> ProviderState:
        """Release what is authorised and not captured; from then on the payment can be authorised no more."""


def card_provider() -> CardProvider:
    """The provider of this installation."""
    from storefront.services.cards.http_provider import HttpCardProvider

    return HttpCardProvider(settings.CARD_URL, settings.CARD_SECRET)


def takes_cards() -> bool:
    """Whether this installation has a provider."""
    return bool(settings.CARD_URL)
