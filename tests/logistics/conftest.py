"""Fixtures of Logistics' tests."""

from __future__ import annotations

import pytest

from logistics.services import relays
from tests.logistics.finance_double import FinanceDouble


@pytest.fixture(autouse=True)
def finance(monkeypatch: pytest.MonkeyPatch) -> FinanceDouble:
    """Finance replaced by a double, so that these tests see what Logistics tells it."""
    double = FinanceDouble()
    monkeypatch.setattr(relays, "finance", double)
    return double
