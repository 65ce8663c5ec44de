"""The freshness guard: data with its age; too old is said, and required data that is too old is an error."""

from __future__ import annotations

import pytest

from erp import freshness, ownership
from erp.errors import CopyTooOld
from erp.replication.pull import run_copy
from erp.replication.resync import attach, detach
from storefront.copies import StockCopy
from tests.databases import ErpDatabase
from tests.logistics import world

WINDOWED = [(e.name, reader) for e in ownership.ENTITIES if not e.is_instant for reader in e.readers]
INSTANT = [(e.name, reader) for e in ownership.ENTITIES if e.is_instant for reader in e.readers]


def fill(entity: str, reader: str) -> None:
    for source in ownership.entity(entity).sources_of(reader):
        run_copy(entity, source, reader)


def make_older(erp: ErpDatabase, entity: str, reader: str, seconds: int, source: str = "%") -> None:
    """Pretend that the copy's last run began earlier."""
    with erp.connect(f"{reader}_ddl") as ddl:
        ddl.execute(
            "update copy_position set began_at = began_at - make_interval(secs => %s) "
            "where entity = %s and source like %s",
            [seconds, entity, source],
        )


def stock_of(product: int) -> freshness.Fresh[int | None]:
    found = StockCopy.objects.filter(product_id=product).values_list("on_hand", flat=True)
    return freshness.read("stock", "storefront", found.first)


def test_copy_that_was_never_filled_is_too_old(fresh_erp: ErpDatabase) -> None:
    for entity, reader in WINDOWED:
        age = freshness.copy_age(entity, reader)
        assert (age.age_s, age.as_of, age.too_old) == (None, None, True)
    with pytest.raises(CopyTooOld, match="never filled"):
        stock_of(1).required()


def test_figure_comes_with_its_age_and_position(fresh_erp: ErpDatabase) -> None:
    mug = world.stocked(5)
    fill("stock", "storefront")
    seen = stock_of(mug)
    assert seen.required() == 5
    assert seen.age.age_s is not None
    assert 0 < seen.age.age_s < seen.age.window_s == 15
    assert (seen.age.tick, seen.too_old) == (1, False)
    assert seen.age.as_of is not None


@pytest.mark.parametrize(("entity", "reader"), WINDOWED)
def test_copy_older_than_its_window_is_not_given_out_as_fresh(
    module_erp: ErpDatabase, entity: str, reader: str
) -> None:
    fill(entity, reader)
    assert not freshness.copy_age(entity, reader).too_old
    make_older(module_erp, entity, reader, ownership.entity(entity).window_s)
    old: freshness.Fresh[list[object]] = freshness.read(entity, reader, list)
    assert old.too_old
    assert old.data == []  # the caller may still show it, with its age
    with pytest.raises(CopyTooOld, match=f"its window is {ownership.entity(entity).window_s} s"):
        old.required()
    fill(entity, reader)
    assert not freshness.copy_age(entity, reader).too_old


def test_oldest_source_counts(fresh_erp: ErpDatabase) -> None:
    run_copy("sales_order", "logistics", "finance")
    assert freshness.copy_age("sales_order", "finance").age_s is None
    run_copy("sales_order", "storefront", "finance")
    assert not freshness.copy_age("sales_order", "finance").too_old
    make_older(fresh_erp, "sales_order", "finance", 60, source="storefront")
    age = freshness.copy_age("sales_order", "finance").age_s
    assert age is not None
    assert age > 60


def test_age_is_taken_before_the_data(fresh_erp: ErpDatabase) -> None:
    fill("stock", "storefront")
    make_older(fresh_erp, "stock", "storefront", 100)
    seen = freshness.read("stock", "storefront", lambda: fill("stock", "storefront"))
    assert seen.too_old  # data that grew younger meanwhile is still said to be old, never the reverse


@pytest.mark.parametrize(("entity", "reader"), INSTANT)
def test_instant_copy_has_no_age_while_it_is_attached(module_erp: ErpDatabase, entity: str, reader: str) -> None:
    age = freshness.copy_age(entity, reader)
    assert (age.age_s, age.window_s, age.attached, age.too_old) == (0.0, 0, True, False)


@pytest.mark.parametrize(("entity", "reader"), [("customer", "finance"), ("stock", "admin_app")])
def test_detached_copy_is_too_old_until_it_is_attached(module_erp: ErpDatabase, entity: str, reader: str) -> None:
    if not ownership.entity(entity).is_instant:
        fill(entity, reader)
    detach(entity, reader, "moving disks")
    age = freshness.copy_age(entity, reader)
    assert (age.attached, age.too_old) == (False, True)
    attach(entity, reader)
    assert not freshness.copy_age(entity, reader).too_old


def test_clock_set_back_makes_the_age_unknown_not_young(fresh_erp: ErpDatabase) -> None:
    run_copy("stock", "logistics", "storefront")
    assert not freshness.copy_age("stock", "storefront").too_old
    with fresh_erp.connect("storefront_ddl") as reader:
        reader.execute("update copy_position set began_at = began_at + interval '1 hour'")
    age = freshness.copy_age("stock", "storefront")
    assert (age.age_s, age.too_old) == (None, True)
    with pytest.raises(CopyTooOld, match="set back"):
        freshness.read("stock", "storefront", list).required()
    run_copy("stock", "logistics", "storefront")
    assert not freshness.copy_age("stock", "storefront").too_old
