"""PDF documents (delivery notes, invoices…): one look, both languages, the same bytes for the same content.

A document is written from top to bottom: ``PdfDocument(…)``, then ``parties``, ``facts``, ``item_table``, ``totals``,
``note``, and ``content()`` for the bytes. Pages break by themselves; a table repeats its headings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import font_roboto
from django.http import HttpResponse
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode, XPos, YPos
from fpdf.fonts import FontFace

FONT = "Roboto"
MARGIN_MM = 18
INK, GREY, LINE, SHADE = 33, 110, 205, 244  # shades of grey, 0 is black

_PAGE = {"hu": "{n}. oldal, összesen {of}", "en": "Page {n} of {of}"}


def pdf_response(name: str, content: bytes) -> HttpResponse:
    """A PDF that the browser shows, and keeps under ``name``."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


@dataclass(frozen=True)
class Column:
    """A column of a table; widths are shares of the page's width."""

    title: str
    width: float
    align: Literal["LEFT", "RIGHT", "CENTER"] = "LEFT"


class PdfDocument(FPDF):
    """An A4 page with the issuer on top, a title and number, and page numbers below.

    Args:
        title: what it is, in its language (``Delivery note``).
        number: the document's number; stands beside the title and on every further page.
        issuer: the company as documents name it: ``name``, ``postcode``, ``city``, ``street``, ``tax_number``…
        language: ``hu`` or ``en``.
        made_at: moment that the file states as its creation; the document's own, so that a repeat gives the same bytes.
    """

    def __init__(
        self, title: str, number: str, *, issuer: Mapping[str, str], language: str, made_at: datetime | None = None
    ) -> None:
        super().__init__(format="A4")
        self.heading, self.number, self.issuer = title, number, issuer
        self.language = "hu" if language == "hu" else "en"
        self.add_font(FONT, "", font_roboto.Roboto)
        self.add_font(FONT, "B", font_roboto.RobotoBold)
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + 6)
        self.set_title(f"{title} {number}")
        self.set_author(issuer.get("name", ""))
        self.set_lang(self.language)
        self.set_creation_date((made_at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0))
        self.set_draw_color(LINE)
        self.set_text_color(INK)
        self.set_font(FONT, size=9.5)
        self.add_page()

    def header(self) -> None:
        """Issuer and title on the first page; the number alone on the next ones."""
        if self.page_no() > 1:
            self._say(f"{self.heading} {self.number}", size=8.5, grey=GREY)
            self.ln(3)
            return
        company = self.issuer
        self._say(company.get("name", ""), size=11, bold=True)
        address = f"{company.get('postcode', '')} {company.get('city', '')}, {company.get('street', '')}".strip(" ,")
        self._say(" · ".join(filter(None, [address, company.get("tax_number", "")])), size=8.5, grey=GREY)
        self.ln(7)
        self._say(self.heading, size=20, bold=True)
        self._say(self.number, size=12, grey=GREY)
        self.ln(5)

    def footer(self) -> None:
        """Page n of m."""
        self.set_y(-MARGIN_MM)
        self.set_font(FONT, size=8)
        self.set_text_color(GREY)
        self.cell(0, 5, _PAGE[self.language].format(n=self.page_no(), of="{nb}"), align="C")

    def _say(self, text: str, *, size: float, bold: bool = False, grey: int = INK) -> None:
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(grey)
        self.multi_cell(0, size * 0.48, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.set_text_color(INK)

    def parties(self, *blocks: tuple[str, Sequence[str]]) -> None:
        """Addresses side by side: (caption, lines); the first line of each stands out, empty lines are left out."""
        top, bottom = self.get_y(), self.get_y()
        width = self.epw / len(blocks)
        for n, (caption, lines) in enumerate(blocks):
            x = self.l_margin + n * width
            self.set_xy(x, top)
            self._block(caption, [line for line in lines if line], width - 6)
            bottom = max(bottom, self.get_y())
        self.set_xy(self.l_margin, bottom + 5)

    def _block(self, caption: str, lines: Sequence[str], width: float) -> None:
        self.set_font(FONT, size=8)
        self.set_text_color(GREY)
        self.multi_cell(width, 4.5, caption, new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")
        self.set_text_color(INK)
        for n, line in enumerate(lines):
            self.set_font(FONT, "B" if n == 0 else "", 10)
            self.multi_cell(width, 5, line, new_x=XPos.LEFT, new_y=YPos.NEXT, align="L")

    def facts(self, pairs: Sequence[tuple[str, str]], per_row: int = 4) -> None:
        """What a document states at a glance: captions above values; pairs without a value are left out."""
        shown = [pair for pair in pairs if pair[1]]
        for start in range(0, len(shown), per_row):
            self.parties(*self._padded(shown[start : start + per_row], per_row))
        if shown:
            self.ln(1)

    @staticmethod
    def _padded(row: Sequence[tuple[str, str]], per_row: int) -> list[tuple[str, Sequence[str]]]:
        cells: list[tuple[str, Sequence[str]]] = [(caption, [value]) for caption, value in row]
        return cells + [("", [])] * (per_row - len(row))

    def item_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Rows below headings; long texts wrap, a row is never cut by the page's end."""
        self.set_font(FONT, size=9)
        with self.table(
            width=self.epw,
            col_widths=tuple(column.width for column in columns),
            text_align=tuple(column.align for column in columns),
            headings_style=FontFace(emphasis="BOLD", fill_color=(SHADE, SHADE, SHADE)),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            cell_fill_mode=TableCellFillMode.NONE,
            line_height=5,
            padding=(1.2, 1.5),
        ) as table:
            table.row([column.title for column in columns])
            for row in rows:
                table.row(list(row))
        self.ln(4)

    def totals(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Sums at the right edge; the last one is the one that counts."""
        left, width = self.l_margin + self.epw / 2, self.epw / 4
        for n, (caption, value) in enumerate(pairs):
            is_last = n == len(pairs) - 1
            if is_last:
                self.line(left, self.get_y() + 0.8, self.l_margin + self.epw, self.get_y() + 0.8)
                self.ln(1.6)
            self.set_font(FONT, "B" if is_last else "", 12 if is_last else 9.5)
            self.set_x(left)
            self.cell(width, 6.5 if is_last else 5.5, caption)
            self.cell(width, 6.5 if is_last else 5.5, value, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(4)

    def note(self, text: str) -> None:
        """A paragraph; nothing for an empty one."""
        if text:
            self._say(text, size=9)
            self.ln(2)

    def signatures(self, *captions: str) -> None:
        """Lines to sign on, side by side, kept together on one page."""
        if self.will_page_break(24):
            self.add_page()
        self.ln(14)
        width = self.epw / len(captions)
        top = self.get_y()
        for n, caption in enumerate(captions):
            x = self.l_margin + n * width
            self.line(x, top, x + width - 12, top)
            self.set_xy(x, top + 1)
            self.set_font(FONT, size=8)
            self.cell(width - 12, 4.5, caption, align="C")
        self.set_xy(self.l_margin, top + 8)

    def content(self) -> bytes:
        """The file."""
        return bytes(self.output())
