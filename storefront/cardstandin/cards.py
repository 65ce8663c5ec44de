"""The cards that the stand-in knows, and what goes wrong with each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A test card and how its payment goes."""

    number: str
    what: str  # for the shopper who reads the list
    declines: bool = False
    hangs_up: bool = False  # the money is authorised, but the browser gets no answer
    callbacks: int = 1  # how often the same event is sent
    delay_s: float = 0.0  # before the callback
    calls_first: bool = False  # the callback is answered before the browser is sent back
    loses_capture: bool = False  # the first capture is done, its answer is lost


LATE_S = 15.0

CARDS = (
    Card("4242 4242 4242 4242", "Pays"),
    Card("4000 0000 0000 0002", "Is declined", declines=True),
    Card("4000 0000 0000 0119", "Pays, then the page hangs up; the callback comes late", hangs_up=True, delay_s=LATE_S),
    Card("4000 0000 0000 0226", "Pays; the callback comes twice at once", callbacks=2),
    Card("4000 0000 0000 0333", "Pays; the callback comes late", delay_s=LATE_S),
    Card("4000 0000 0000 0440", "Pays; the callback comes before the browser returns", calls_first=True),
    Card("4000 0000 0000 0557", "Pays; no callback comes", callbacks=0),
    Card("4000 0000 0000 0664", "Pays; the answer to the first capture is lost", loses_capture=True),
)


def card_of(number: str) -> Card | None:
    """The card with this number, spaces aside; None when the stand-in does not know it."""
    digits = number.replace(" ", "").replace("-", "")
    return next((card for card in CARDS if card.number.replace(" ", "") == digits), None)
