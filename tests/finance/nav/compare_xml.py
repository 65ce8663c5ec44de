"""Compares two InvoiceData documents element by element.

Differences that are allowed, and no other:

1. Writing of numbers: `600000.00` and `600000` are equal (compared as decimals).
2. White space around texts, comments, attributes of the root (`schemaLocation`), and prefixes.
3. `vatRateGrossData` may be in ours where the sample leaves it out: the element is optional, the
   samples give it for some rows and not for others; ours always has it (its content is checked by
   `test_gross_of_each_vat_row_is_net_plus_vat`).
4. What `KNOWN_SLIPS` names: amounts in which an official sample contradicts itself.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from lxml import etree

Flat = list[tuple[str, str]]

KNOWN_SLIPS: dict[str, dict[tuple[str, str], str]] = {
    # Net 120.00 and no VAT, but gross 120.40; the total then says 19120.40. Ours is net plus VAT.
    "Tagorszagi_devizas_szamla": {
        ("lineGrossAmountNormal", "120.40"): "120",
        ("invoiceGrossAmount", "19120.40"): "19120",
    },
}


def flat(xml: bytes) -> Flat:
    """Return every element in document order as (path of local names and positions, value)."""
    return list(_walk(etree.fromstring(xml), ""))


def expected(xml: bytes, sample: str) -> Flat:
    """Return an official sample flat, its known slips put right."""
    slips = KNOWN_SLIPS.get(sample, {})
    corrected = {(name, _value(wrong)): _value(right) for (name, wrong), right in slips.items()}
    return [(path, corrected.get((_name(path), value), value)) for path, value in flat(xml)]


def without_extra_gross(ours: Flat, official: Flat) -> Flat:
    """Drop our `vatRateGrossData` where the sample has none (difference 3)."""
    there = {path for path, _ in official}
    extra = [path for path, _ in ours if _name(path) == "vatRateGrossData" and path not in there]
    return [(path, value) for path, value in ours if not any(path.startswith(prefix) for prefix in extra)]


def _walk(element: etree._Element, above: str) -> Iterator[tuple[str, str]]:
    qualified = etree.QName(element)
    assert qualified.namespace is not None
    space = qualified.namespace.rsplit("/", 1)[-1]
    siblings = [other for other in element.itersiblings(preceding=True) if other.tag == element.tag]
    path = f"{above}/{space}:{qualified.localname}[{len(siblings) + 1}]"
    children = [child for child in element if isinstance(child.tag, str)]
    yield path, "" if children else _value(element.text or "")
    for child in children:
        yield from _walk(child, path)


def _name(path: str) -> str:
    return path.rsplit(":", 1)[-1].split("[", maxsplit=1)[0]


def _value(text: str) -> str:
    stripped = text.strip()
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        return stripped
    # Codes such as 02 or 16010091 keep their zeros: only what has a sign or a fraction is a number.
    is_code = stripped.isdigit() and stripped.startswith("0") and len(stripped) > 1
    return stripped if is_code else f"{number.normalize():f}"
