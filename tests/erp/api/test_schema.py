"""The API describes itself, without network; the installation says whether it is ready."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from erp import ownership
from tests.databases import ErpDatabase
from tests.people import ApiClient


def test_schema_renders_without_a_warning(erp: ErpDatabase) -> None:
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    assert "/api/v1/admin_app/customers/{id}/" in out.getvalue()


def test_every_operation_documents_its_refusals(erp: ErpDatabase) -> None:
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    operations = [op for path in schema["paths"].values() for op in path.values()]
    assert operations
    assert all("application/problem+json" in op["responses"]["default"]["content"] for op in operations)


def test_index_tells_where_every_entity_is_written_and_read(api: ApiClient) -> None:
    lines = {line["entity"]: line for line in api.get("/api/v1/").json()}
    assert set(lines) == {entity.name for entity in ownership.ENTITIES}
    assert lines["stock"]["window_s"] == 15
    for line in lines.values():
        assert set(line["reader_urls"]) == set(ownership.entity(line["entity"]).readers)
        assert api.get(line["owner_url"]).status_code == 200, line
        for url in line["reader_urls"].values():
            assert api.get(f"{url}?stale=allow").status_code == 200


def test_documentation_page_needs_no_other_host(erp: ErpDatabase) -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    assert "//cdn" not in page.content.decode()


def test_ready_installation_answers_200(erp: ErpDatabase) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200, answer.content
    assert answer.json()["ready"] is True


def test_missing_door_is_named_by_readiness(erp: ErpDatabase) -> None:
    with erp.connect("finance_ddl") as other:
        other.execute("revoke execute on function receive_customer(jsonb) from admin_app")
        answer = Client().get("/readyz")
        other.execute("grant execute on function receive_customer(jsonb) to admin_app")
    assert answer.status_code == 503
    assert "finance.receive_customer" in answer.json()["provision"]


def test_metrics_tell_the_age_of_every_copy(erp: ErpDatabase) -> None:
    text = Client().get("/metrics").content.decode()
    assert 'erp_copy_age_seconds{entity="customer",reader="finance"} 0.0' in text
    assert "erp_write_conflicts_total" in text


def test_process_that_lives_says_so(erp: ErpDatabase) -> None:
    assert Client().get("/healthz").status_code == 200
