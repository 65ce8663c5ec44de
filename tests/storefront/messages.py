"""Every text of the shop that is to be translated, and the Hungarian catalogue in step with them.

``python -m tests.storefront.messages`` adds new texts to the .po file, drops unused ones and compiles the .mo file.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import polib
from django.utils.translation.template import templatize

from tests.environment import PROJECT_DIR

Message = tuple[str, str, str]
"""Context, text, plural text; the first and last may be empty."""

CATALOGUE = PROJECT_DIR / "storefront" / "locale" / "hu" / "LC_MESSAGES" / "django.po"
_CALL = re.compile(r"\b(?:gettext|ngettext|pgettext|npgettext|_)\(")
_KINDS = {"gettext": "s", "_": "s", "ngettext": "sp", "pgettext": "cs", "npgettext": "csp"}
_LEFT_OUT = ("migrations", "management", "replay")


def messages() -> dict[Message, str]:
    """Every translatable text, with the file that has it first."""
    found: dict[Message, str] = {}
    for path in _templates():
        for message in _in_template(path):
            found.setdefault(message, str(path.relative_to(PROJECT_DIR)))
    for path in _modules():
        for message in [*_in_python(path), *_refusals(path)]:
            found.setdefault(message, str(path.relative_to(PROJECT_DIR)))
    return found


def _templates() -> list[Path]:
    root = PROJECT_DIR / "templates"
    return sorted([*(root / "storefront").glob("*.html"), *(root / "emails").glob("*.*")])


def _modules() -> list[Path]:
    paths = (PROJECT_DIR / "storefront").rglob("*.py")
    return sorted(path for path in paths if not set(_LEFT_OUT) & set(path.parts))


def _in_template(path: Path) -> Iterator[Message]:
    text = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for start in _CALL.finditer(text):
        call = ast.parse(_balanced(text[start.start() :]), mode="eval").body
        assert isinstance(call, ast.Call)
        yield from _of_call(call)


def _balanced(text: str) -> str:
    """The call at the head of a text, up to its closing parenthesis."""
    depth = 0
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        depth += {"(": 1, ")": -1}.get(token.string, 0) if token.type == tokenize.OP else 0
        if token.string == ")" and depth == 0:
            row, column = token.end
            return "".join([*lines[: row - 1], lines[row - 1][:column]])
    raise ValueError(f"no end: {text[:60]}")


def _in_python(path: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[Message]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    kinds = _KINDS.get(name.removesuffix("_lazy"))
    if kinds is None:
        return
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if len(texts) >= len(kinds):
        said = dict(zip(kinds, texts, strict=False))
        yield said.get("c", ""), said["s"], said.get("p", "")


def _refusals(path: Path) -> Iterator[Message]:
    """First lines of the refusals' docstrings: they are what the shopper reads."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "Refused" for b in node.bases):
            yield "", (ast.get_docstring(node) or "").split("\n")[0], ""


def update() -> tuple[int, int]:
    """Bring the catalogue in step and compile it; returns the numbers of texts and of untranslated ones."""
    wanted = messages()
    before = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else polib.POFile()
    known = {(e.msgctxt or "", e.msgid, e.msgid_plural): e for e in before}
    after = polib.POFile(wrapwidth=110)
    after.metadata = {
        "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit", "Language": "hu",
        "MIME-Version": "1.0", "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }  # fmt: skip
    for (context, text, plural), where in sorted(wanted.items(), key=lambda item: (item[1], item[0])):
        old = known.get((context, text, plural))
        entry = polib.POEntry(msgctxt=context or None, msgid=text, msgid_plural=plural, occurrences=[(where, "")])
        if plural:
            entry.msgstr_plural = old.msgstr_plural if old else {0: "", 1: ""}
        else:
            entry.msgstr = old.msgstr if old else ""
        after.append(entry)
    after.save(str(CATALOGUE))
    after.save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
    return len(after), len(after.untranslated_entries())


if __name__ == "__main__":
    texts, untranslated = update()
    sys.stdout.write(f"{texts} texts, {untranslated} without a translation\n")
