"""Wrong reports and the code each must get after processing; the list of codes is that of the facts page."""

import re
from pathlib import Path

import pytest

from finance.nav.answers import BusinessMessage, ProcessingResult
from finance.nav.client import NavClient
from finance.nav.schema import NavSchema
from finance.nav.standin.server import StandInServer
from tests.finance.nav.stand_in_kit import client_of, config, running
from tests.finance.nav.wrong_reports import (
    BASE,
    CHANGE,
    SALE,
    SECOND_CHANGE,
    SIMPLE,
    TABLE,
    WARNINGS,
    Reporter,
    Steps,
    create,
    storno,
)


class UncheckedSchema(NavSchema):
    """Lets everything out, as a careless client would."""

    def check(self, xml: bytes) -> None:
        """Find nothing."""


def _as_business(result: ProcessingResult) -> list[BusinessMessage]:
    return [BusinessMessage(message.result, message.code, message.message) for message in result.technical]


def _codes(results: list[ProcessingResult]) -> set[tuple[str, str]]:
    return {
        (message.result, message.code) for result in results for message in [*result.business, *_as_business(result)]
    }


@pytest.mark.parametrize(("what", "code", "steps"), TABLE, ids=[row[0] for row in TABLE])
def test_wrong_report_is_aborted_with_its_code(
    stand_in: StandInServer, nav_schema: NavSchema, what: str, code: str, steps: Steps
) -> None:
    unchecked = UncheckedSchema(nav_schema.folder, nav_schema.compiled, nav_schema.lock)
    results = steps(Reporter(client_of(stand_in, unchecked)))
    assert ("ERROR", code) in _codes(results), what
    assert {result.status for result in results} == {"ABORTED"}


@pytest.mark.parametrize(("what", "code", "steps"), WARNINGS, ids=[row[0] for row in WARNINGS])
def test_wrong_sum_is_reported_with_a_warning(client: NavClient, what: str, code: str, steps: Steps) -> None:
    results = steps(Reporter(client))
    assert [result.status for result in results] == ["DONE"], what
    assert ("WARN", code) in _codes(results)
    assert results[0].has_warnings


def test_table_covers_every_code_of_the_facts_page(official_files: Path) -> None:
    text = (official_files / "README.md").read_text(encoding="utf-8")
    section = text.split("## Checks a stand-in must make")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    named = {code for cell in cells for code in re.findall(r"(?<![A-Z_])[A-Z][A-Z]+(?:_[A-Z]+)+", cell)}
    covered = {code for _, code, _ in TABLE}
    assert {code for code in named if not any(known.startswith(code) for known in covered)} == set()
    assert len(named) >= 30


def test_right_reports_raise_nothing(client: NavClient) -> None:
    reporter = Reporter(client)
    for document in (SALE, BASE, CHANGE, SECOND_CHANGE, SIMPLE):
        results = reporter.send(create(document))
        assert [(result.status, result.business, result.technical) for result in results] == [("DONE", (), ())]


def test_pointer_names_tag_and_line(client: NavClient) -> None:
    wrong = create(SALE, ("<unitPrice>800<", "<unitPrice>900<"))
    message = Reporter(client).send(wrong)[0].business[0]
    assert (message.tag, message.line, message.value) == ("lineNetAmount", 4, "32000")


@pytest.mark.parametrize(("blocks", "status"), [(False, "DONE"), (True, "ABORTED")])
def test_announced_checks_block_by_a_switch(
    official_files: Path, nav_schema: NavSchema, tmp_path: Path, blocks: bool, status: str
) -> None:
    with running(config(official_files, tmp_path, candidates_block=blocks)) as server:
        reporter = Reporter(client_of(server, nav_schema))
        reporter.send(create(BASE))
        reporter.send(storno(CHANGE))
        results = reporter.send(create(SECOND_CHANGE))
    assert results[0].status == status
    assert "CANDIDATE_1140" in {message.code for message in results[0].business}
