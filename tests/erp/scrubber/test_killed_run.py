"""A run whose process is killed is taken up by the next pass, at the check where it was."""

from __future__ import annotations

from erp.models import Alert, ScrubRun
from erp.scrubber.engine import run_pending
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.scrub.planting import copy_everything

_DIES = """
import sys
from erp.scrubber import engine
from erp.scrubber.checks import all_checks
from erp.scrubber.result import CheckSpec
def stay(findings):
    print("inside", flush=True)
    sys.stdin.read()
def specs():
    return [CheckSpec(s.name, s.title, s.number, stay) if s.name == "vat_codes" else s for s in all_checks()]
engine.all_checks = specs
engine.run_nightly()
"""


def test_killed_run_is_resumed_at_its_check(fresh_erp: ErpDatabase) -> None:
    clear_caches()
    copy_everything()
    process = fresh_erp.popen(_DIES)
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n", process.stderr and process.stderr.read()
    assert run_pending() == []  # it lives: nobody else takes its run
    process.kill()
    process.communicate()

    run = ScrubRun.objects.get()
    done = list(run.results.order_by("id").values_list("name", "id"))
    assert [name for name, _ in done] == ["customers", "products"]
    assert (run.status, run.current, run.finished_at) == ("running", "vat_codes", None)

    while not (resumed := run_pending()):  # until PostgreSQL has noticed that the process is gone
        pass
    assert [r.pk for r in resumed] == [run.pk]
    run.refresh_from_db()
    results = list(run.results.order_by("id").values_list("name", "id"))
    assert results[:2] == done  # not run again
    assert (len(results), run.status) == (11, "ok")
    assert Alert.objects.count() == 0
