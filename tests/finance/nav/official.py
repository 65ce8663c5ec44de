"""Where the NAV's official schemas and samples are."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

_PROJECT = Path(__file__).resolve().parents[3]
SHARED_NAV = Path(os.environ.get("ERP_SHARED_DIR") or _PROJECT.parent / "shared") / "nav"

INVOICE_SAMPLES = (
    "Belfoldi_devizas_szamla",
    "Belfoldi_egyszerusitett_szamla",
    "Belfoldi_elolegszamla",
    "Belfoldi_termekertekesites",
    "Belfoldi_termekertekesites_maganszemelynek",
    "Belfoldi_termekertekesites_tetelbol_adott_engedmennyel",
    "Belfoldi_vegszamla",
    "Eredeti_szamla_modositasokhoz",
    "Tagorszagi_devizas_szamla",
    "Teves_termek_helyesbitese",
)
REQUEST_SAMPLES = ("manageAnnulment", "queryInvoiceData", "queryTransactionStatus", "tokenExchange")


@dataclass(frozen=True)
class RequestSample:
    """An official request with the key its signature was made with."""

    operation: str
    body: bytes
    sign_key: str

    def text(self, tag: str) -> str:
        """Return the text of the first element `tag`."""
        found = etree.fromstring(self.body).find(f".//{{*}}{tag}")
        assert found is not None
        return found.text or ""


def request_sample(folder: Path, operation: str) -> RequestSample:
    """Read an official request sample."""
    body = (folder / "samples" / "api" / f"{operation}.xml").read_bytes()
    key = re.search(rb"<!--<signKey>(.+?)</signKey>-->", body)
    assert key is not None
    return RequestSample(operation, body, key[1].decode())
