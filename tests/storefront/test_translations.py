"""The Hungarian catalogue: whole, in step with the texts, compiled, and with the same placeholders."""

from __future__ import annotations

import re

import polib
import pytest
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from storefront.templatetags.shop import money
from tests.storefront.messages import CATALOGUE, messages

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|</?\w+")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def test_every_text_of_the_shop_is_translated(catalogue: polib.POFile) -> None:
    have = {(e.msgctxt or "", e.msgid, e.msgid_plural) for e in catalogue.translated_entries()}
    missing = {message: where for message, where in messages().items() if message not in have}
    assert not missing, f"python -m tests.storefront.messages adds these; then translate them: {missing}"
    assert not catalogue.fuzzy_entries()


def test_catalogue_has_no_text_that_nobody_shows(catalogue: polib.POFile) -> None:
    wanted = messages()
    assert [e.msgid for e in catalogue if (e.msgctxt or "", e.msgid, e.msgid_plural) not in wanted] == []


def test_compiled_catalogue_is_in_step(catalogue: polib.POFile) -> None:
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))

    def content(entries: list[polib.POEntry]) -> set[tuple[object, ...]]:
        return {(e.msgctxt, e.msgid, e.msgstr, *sorted((e.msgstr_plural or {}).items())) for e in entries}

    assert content(list(compiled)) == content(list(catalogue)), "python -m tests.storefront.messages compiles it"


def test_translations_keep_placeholders_and_markup(catalogue: polib.POFile) -> None:
    for entry in catalogue:
        for text in (entry.msgstr, *(entry.msgstr_plural or {}).values()):
            if text:
                source = entry.msgid_plural or entry.msgid
                assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), entry.msgid


def test_words_figures_and_dates_are_hungarian() -> None:
    import datetime

    with translation.override("hu"):
        assert gettext("Add to cart") == "Kosárba"
        assert money("1234.5", "EUR") == "1\u00a0234,50\u00a0€"
        assert date_format(datetime.date(2026, 11, 24)) == "2026. november 24."
