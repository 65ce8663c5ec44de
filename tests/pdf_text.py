"""The text of a PDF that erp/pdf.py made: what a reader of the file would copy out of it."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_CMAP_ROW = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)>$", re.MULTILINE | re.IGNORECASE)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) ?Tj", re.DOTALL)
_ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t"}


def pdf_text(content: bytes) -> str:
    """Everything shown, page by page, one line per piece of text; no-break spaces become plain ones."""
    fonts = _fonts(content)
    pieces = []
    for stream in _streams(content):
        if b" Tj" not in stream:
            continue
        font: dict[int, str] = {}
        for size, shown in _SHOWN.findall(stream):
            if size:
                font = fonts[int(size)]
            else:
                pieces.append(_decode(shown, font))
    return "\n".join(pieces).replace("\u00a0", " ")


def _streams(content: bytes) -> list[bytes]:
    found = []
    for raw in _STREAM.findall(content):
        try:
            found.append(zlib.decompressobj().decompress(raw))  # a last byte that looks like a line end may be cut off
        except zlib.error:
            found.append(raw)
    return found


def _fonts(content: bytes) -> dict[int, dict[int, str]]:
    """Font number → (glyph number → character), from the maps that make a PDF's text copyable."""
    maps = [
        {int(a, 16): bytes.fromhex(b.decode()).decode("utf-16-be") for a, b in _CMAP_ROW.findall(stream)}
        for stream in _streams(content)
        if b"beginbfchar" in stream
    ]
    return dict(enumerate(maps, start=1))


def _decode(shown: bytes, font: dict[int, str]) -> str:
    raw = re.sub(rb"\\(.)", lambda m: _ESCAPES.get(m.group(1), m.group(1)), shown, flags=re.DOTALL)
    glyphs = [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw), 2)]
    return "".join(font.get(glyph, "\ufffd") for glyph in glyphs)
