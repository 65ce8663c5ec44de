"""Fixtures of Logistics' tests."""

from __future__ import annotations

import pytest

from logistics.services import relays
from tests.logistics.finance_recorder import FinanceRecorder


@pytest.fixture(autouse=True)
def finance(monkeypatch: pytest.MonkeyPatch) -> FinanceRecorder:
    """Finance with a recorder before it, so that these tests see what Logistics tells it."""
    recorder = FinanceRecorder()
    monkeypatch.setattr(relays, "finance", recorder)
    return recorder
