"""Builds and checks the XML of claimed reports; one that cannot be made never holds up the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finance.errors import NotReportable
from finance.nav import names
from finance.nav.messages import InvoiceOperation
from finance.nav.read_back import ReportedTotal, read_tree
from finance.nav.schema import NavSchema
from finance.nav.signing import sha3_512
from finance.nav.vat import VatTreatment
from finance.nav.xml_values import to_bytes
from finance.services.reporting.documents import build_tree, vat_treatments
from finance.services.reporting.queue import Claim, Ready
from finance.services.reporting.sources import load_documents

logger = logging.getLogger(__name__)


@dataclass
class Built:
    """Reports that may be sent, and what stands against the others."""

    ready: list[Ready] = field(default_factory=list)
    problems: dict[int, list[str]] = field(default_factory=dict)


def build_claimed(claim: Claim, schema: NavSchema) -> Built:
    """Build every claimed report and check it against the XSD."""
    built, treatments = Built(), vat_treatments()
    for document in load_documents(claim.ids):
        try:
            built.ready.append(_ready(document, treatments, schema))
        except NotReportable as error:
            built.problems[document["id"]] = error.details.get("problems") or [error.message]
        except Exception as error:  # a document that nobody foresaw: the others go, this one is shown  # noqa: BLE001
            logger.exception("NAV: the report of document %s cannot be built", document["id"])
            built.problems[document["id"]] = [f"Its report cannot be built: {type(error).__name__}: {error}"]
    return built


def _ready(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment], schema: NavSchema) -> Ready:
    tree = build_tree(document, treatments)
    if breaches := schema.errors(tree):
        raise NotReportable("; ".join(breaches[:3]), problems=breaches)
    totals = [total_as_json(total) for total in read_tree(tree).totals]
    operation = InvoiceOperation(document["operation"], to_bytes(tree))
    if len(operation.xml) > names.MAX_INVOICE_BYTES:
        raise NotReportable(
            f"its report has {len(operation.xml)} bytes, the NAV takes {names.MAX_INVOICE_BYTES} at most: cancel it "
            "and issue several documents with fewer lines"
        )
    return Ready(document["id"], operation, sha3_512(operation.xml.decode()), totals)


def total_as_json(total: ReportedTotal) -> dict[str, Any]:
    """One summary row in HUF: ``element``, ``value``, ``case``, ``net``, ``vat``, ``gross``; simplified: that alone."""
    element, value, case = total.key
    return {
        "element": element, "value": value, "case": case,
        "net": total.net.huf if total.net else None, "vat": total.vat.huf if total.vat else None,
        "gross": total.gross.huf if total.gross else None,
    }  # fmt: skip
