"""What `manage.py resync` cannot do as asked it does not begin, and says so with the exit code of "not done"."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["customer", "finance", "--attach", "--dry-run"], "--attach does not go with --dry-run"),
        (["customer", "finance", "--attach", "--keys", "1"], "--attach does not go with --keys"),
        (["customer", "finance", "--detach", "moving disks", "--attach"], "--detach does not go with --attach"),
        (["customer", "finance", "--keys", "1,b"], "--keys takes whole numbers separated by commas, not '1,b'"),
        (["customer", "storeroom"], "storeroom holds no copy of customer"),
        (["custommer", "finance"], "custommer"),
    ],
)
def test_wish_that_cannot_be_met_exits_with_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        call_command("resync", *arguments, "--json")
    assert refused.value.returncode == 2
    assert says in json.loads(capsys.readouterr().out)["error"]
