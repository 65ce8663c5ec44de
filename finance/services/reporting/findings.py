"""What the NAV says about a document, as it is kept and shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from finance.nav.answers import ProcessingResult


def findings_of(result: ProcessingResult) -> list[dict[str, Any]]:
    """Technical and business messages: ``result``, ``code``, ``message``, and where: ``tag``, ``value``, ``line``."""
    technical = [{"result": m.result, "code": m.code, "message": m.message} for m in result.technical]
    return technical + [{k: v for k, v in asdict(m).items() if v not in ("", None)} for m in result.business]
