"""Periodic work of Storefront; may run twice, late or concurrently."""

from __future__ import annotations

from celery import shared_task

from storefront.services.cards.completing import look_after_payments
from storefront.services.cards.settling import settle_payments
from storefront.services.erasing import forget_erased
from storefront.services.handover import finish_hand_overs
from storefront.services.notices import tell_shoppers
from storefront.services.payments import tell_payments
from storefront.services.throttle import prune_attempts
from storefront.services.word_index import forget_words, index_words


@shared_task(name="storefront.finish_hand_overs")
def finish_hand_overs_task() -> dict[str, int]:
    """Decide orders whose hand-over was left unfinished."""
    return finish_hand_overs()


@shared_task(name="storefront.tell_payments")
def tell_payments_task() -> int:
    """Tell Logistics of payments that Finance has recorded."""
    return tell_payments()


@shared_task(name="storefront.index_words")
def index_words_task() -> int:
    """Take the words of new and changed products into the search."""
    return index_words()


@shared_task(name="storefront.index_words_anew")
def index_words_anew_task() -> int:
    """Build the search's word table anew, without words that no product has any more."""
    forget_words()
    return index_words()


@shared_task(name="storefront.look_after_payments")
def look_after_payments_task() -> dict[str, int]:
    """Ask the card provider about payments that are not decided."""
    return look_after_payments()


@shared_task(name="storefront.settle_payments")
def settle_payments_task() -> dict[str, int]:
    """Capture, refund or release what documents and ended orders ask for."""
    return settle_payments()


@shared_task(name="storefront.tell_shoppers")
def tell_shoppers_task() -> int:
    """Hand the e-mails of new shipments and invoices to the relay."""
    return tell_shoppers()


@shared_task(name="storefront.prune_attempts")
def prune_attempts_task() -> int:
    """Forget attempts of past days."""
    return prune_attempts()


@shared_task(name="storefront.forget_erased")
def forget_erased_task() -> dict[str, int]:
    """Forget what Storefront itself keeps of erased customers."""
    return forget_erased()
