"""Ask for a copy run now instead of at the next beat, so that a shopper soon sees what he has just done."""

from __future__ import annotations

import logging

from django.conf import settings

from erp.tasks import copy

logger = logging.getLogger(__name__)


def hint_copy(entity: str, source: str) -> None:
    """Hint that Storefront's copy has something to fetch; a hint that is lost does no harm."""
    if not settings.ERP_SEND_HINTS:
        return
    try:
        copy.apply_async(args=(entity, source, "storefront"), queue="copies", expires=10, ignore_result=True)
    except Exception as error:  # noqa: BLE001  any broker trouble: beat does the work within the window
        logger.warning("copy hint not given: %s", error)
