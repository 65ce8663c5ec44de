"""Groups documents into batches the NAV accepts."""

from collections.abc import Iterable, Iterator

from finance.nav.messages import InvoiceOperation
from finance.nav.names import MAX_BATCH, MAX_BODY_BYTES

_BASE64_GROWTH = 4 / 3
_ENVELOPE_BYTES = 64 * 1024


def split_batches(
    operations: Iterable[InvoiceOperation], *, max_count: int = MAX_BATCH, max_bytes: int = MAX_BODY_BYTES
) -> Iterator[list[InvoiceOperation]]:
    """Yield batches in the given order, by count and by size.

    The size is reckoned without compression, so a batch fits even when nothing can be compressed.
    """
    batch: list[InvoiceOperation] = []
    size = _ENVELOPE_BYTES
    for item in operations:
        grown = int(len(item.xml) * _BASE64_GROWTH) + 512
        if batch and (len(batch) >= max_count or size + grown > max_bytes):
            yield batch
            batch, size = [], _ENVELOPE_BYTES
        batch.append(item)
        size += grown
    if batch:
        yield batch
