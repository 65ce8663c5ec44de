"""Reads XML that came from outside: no entities, no network, bounded size."""

import zlib

from lxml import etree

from finance.nav.names import MAX_INVOICE_BYTES


class ContentTooLarge(Exception):
    """An unpacked document is larger than the interface allows."""


class NotGzip(Exception):
    """A document that should be GZIP-ped is not."""


class NotXml(Exception):
    """The content is not well-formed XML, or carries a document type."""


def parse_xml(content: bytes) -> etree._Element:
    """Return the root of a document; raises `NotXml`.

    Entities are not expanded and nothing is fetched. Text nodes may be large: a batch carries
    invoices as base64 text.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type is not allowed")
    return root


def unpack(content: bytes, limit: int = MAX_INVOICE_BYTES) -> bytes:
    """Return GZIP content unpacked, at most `limit` bytes; raises `NotGzip` or `ContentTooLarge`."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        unpacked = inflater.decompress(content, limit + 1)
    except zlib.error as error:
        raise NotGzip(str(error)) from error
    if len(unpacked) > limit:
        raise ContentTooLarge(f"more than {limit} bytes unpacked")
    if not inflater.eof:
        raise NotGzip("the compressed content ends early")
    return unpacked


def unpacked(content: bytes) -> bytes:
    """Return an archived document, GZIP-ped or plain, as XML."""
    return unpack(content) if content.startswith(b"\x1f\x8b") else content


def text_of(parent: etree._Element, path: str) -> str | None:
    """Return the text of the first element at `path` (namespaces by `{*}`), or None."""
    found = parent.find(path)
    return None if found is None else (found.text or "")


def required(parent: etree._Element, path: str) -> str:
    """Return the text at `path`; raises `LookupError` naming the path when it is not there."""
    text = text_of(parent, path)
    if text is None:
        raise LookupError(path)
    return text
