"""Checks documents and messages against the official XSD files.

The files are the NAV's and are not part of this system; a setting names their folder.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from lxml import etree

from finance.nav.xmlread import NotXml, parse_xml

_ENTRY = "all.xsd"
_NAMESPACE_FILES = {
    "http://schemas.nav.gov.hu/NTCA/1.0/common": "common.xsd",
    "http://schemas.nav.gov.hu/OSA/3.0/base": "invoiceBase.xsd",
    "http://schemas.nav.gov.hu/OSA/3.0/data": "invoiceData.xsd",
    "http://schemas.nav.gov.hu/OSA/3.0/api": "invoiceApi.xsd",
    "http://schemas.nav.gov.hu/OSA/3.0/annul": "invoiceAnnulment.xsd",
}


class _Breach(Protocol):
    line: int
    message: str


class SchemaFolderMissing(Exception):
    """The folder with the NAV's XSD files is not set, not there, or incomplete."""


class SchemaViolation(Exception):
    """A document or message does not follow the XSD; `errors` has one line for each breach."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors[:3]) + (f" (and {len(errors) - 3} more)" if errors[3:] else ""))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class NavSchema:
    """The compiled XSD set; one object checks requests, answers, InvoiceData and InvoiceAnnulment."""

    folder: Path | None
    compiled: etree.XMLSchema | None
    # libxml2 collects the breaches in the schema object, so two threads must not share a check.
    lock: threading.Lock
    # Why nothing is checked against the XSD; empty when everything is.
    why_unchecked: str = ""

    @property
    def is_checked(self) -> bool:
        """Whether documents and messages are checked against the XSD, and not for well-formedness alone."""
        return self.compiled is not None

    def errors(self, tree: etree._Element) -> list[str]:
        """Return the breaches of a parsed document, each as `line: message`; empty when valid or not checked."""
        if self.compiled is None:
            return []
        with self.lock:
            if self.compiled.validate(tree):
                return []
            log = cast(Iterable[_Breach], self.compiled.error_log)
            return [f"line {breach.line}: {breach.message}" for breach in log]

    def check(self, xml: bytes) -> None:
        """Raise `SchemaViolation` unless `xml` is well formed and follows the XSD."""
        try:
            tree = parse_xml(xml)
        except NotXml as error:
            raise SchemaViolation([f"not well formed: {error}"]) from error
        found = self.errors(tree)
        if found:
            raise SchemaViolation(found)


def load_schema(folder: str | Path | None) -> NavSchema:
    """Compile the XSD files of `folder`.

    The folder holds the official files; an `all.xsd` that imports them is used when present.
    Raises `SchemaFolderMissing`, with what is missing and where the files come from.
    """
    if not folder:
        raise SchemaFolderMissing(_explain("no folder is set"))
    path = Path(folder)
    missing = [name for name in _NAMESPACE_FILES.values() if not (path / name).is_file()]
    if missing:
        raise SchemaFolderMissing(_explain(f"{path} lacks {', '.join(missing)}"))
    entry = path / _ENTRY
    tree = etree.parse(entry) if entry.is_file() else _entry_tree(path)
    return NavSchema(path, etree.XMLSchema(tree), threading.Lock())


def load_schema_if_there(folder: str | Path | None) -> NavSchema:
    """Like `load_schema`; without the files a schema that checks nothing and says so in `why_unchecked`."""
    try:
        return load_schema(folder)
    except SchemaFolderMissing as error:
        return NavSchema(None, None, threading.Lock(), str(error))


def _entry_tree(path: Path) -> etree._ElementTree:
    # The official files import each other by namespace alone, so each needs its file named once.
    lines = ['<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">']
    for namespace, name in _NAMESPACE_FILES.items():
        lines.append(f'<xs:import namespace="{namespace}" schemaLocation="{name}"/>')
    text = "".join([*lines, "</xs:schema>"])
    return etree.ElementTree(etree.fromstring(text.encode(), base_url=f"{path.resolve()}/{_ENTRY}"))


def _explain(what: str) -> str:
    return (
        f"NAV schema files: {what}. The official XSD files (common, invoiceBase, invoiceData, invoiceApi, "
        "invoiceAnnulment) are not shipped; docs/nav.md says where they come from. "
        "Until they are there, documents and requests are NOT checked against the schema."
    )
