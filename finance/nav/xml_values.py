"""How values are written into a report: exact decimals, clean single-line texts."""

import re
from decimal import Decimal

from lxml import etree

from finance.nav.names import BASE, DATA

# Not allowed in XML 1.0 at all; lxml would refuse the whole document for one of them.
_FORBIDDEN = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_SPACE = re.compile(r"\s+")


class InexactValue(Exception):
    """An amount has more decimals than the report can carry; it must be rounded where it is issued."""


def clean_text(text: str, limit: int) -> str:
    """Return `text` on one line, at most `limit` characters, without characters XML forbids.

    The XSD's text types refuse line breaks and blank texts, so every run of white space becomes one blank.
    """
    return _SPACE.sub(" ", _FORBIDDEN.sub(" ", text)).strip()[:limit].rstrip()


def decimal_text(value: Decimal, places: int) -> str:
    """Return a decimal in plain notation; raises `InexactValue` when `places` do not hold it."""
    if not value.is_finite():
        raise InexactValue(f"{value} is not a number")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        shortened = round(value, places)
        if shortened != value:
            raise InexactValue(f"{value} has more than {places} decimals")
        value = shortened
    return f"{value:f}"


def money_text(value: Decimal) -> str:
    """Return an amount with at most 2 decimals; raises `InexactValue`."""
    return decimal_text(value, 2)


def boolean_text(value: bool) -> str:
    """Return `true` or `false`."""
    return "true" if value else "false"


def new_root(name: str, namespace: str, **prefixes: str) -> etree._Element:
    """Return the root element of a document whose default namespace is `namespace`."""
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in prefixes.items())
    return etree.fromstring(f'<{name} xmlns="{namespace}"{declared}/>')


def to_bytes(root: etree._Element) -> bytes:
    """Return a document as UTF-8 with its XML declaration."""
    return b"<?xml version='1.0' encoding='UTF-8'?>\n" + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an element of the InvoiceData namespace."""
    element = etree.SubElement(parent, f"{{{DATA}}}{name}")
    element.text = text
    return element


def add_base(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an element of the invoiceBase namespace (parts of addresses and tax numbers)."""
    element = etree.SubElement(parent, f"{{{BASE}}}{name}")
    element.text = text
    return element


def add_text(parent: etree._Element, name: str, text: str, limit: int) -> None:
    """Append a text element, or nothing when no visible character is left."""
    cleaned = clean_text(text, limit)
    if cleaned:
        add(parent, name, cleaned)


def add_flag(parent: etree._Element, name: str, value: bool | None) -> None:
    """Append a boolean element, or nothing when the document says neither."""
    if value is not None:
        add(parent, name, boolean_text(value))
