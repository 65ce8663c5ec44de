"""Pictures of the demo's products, drawn here: flat shapes on a coloured ground, so no file of others is needed."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

SIDE = 640  # pixels of the finished picture
_SCALE = 16  # drawn larger, on a ground of 100 × 100 units, and made smaller for smooth edges
_WHITE, _DARK, _STEEL, _WOOD, _GOLD = "#fbf8f2", "#3d3a38", "#aeb6bb", "#a9744f", "#d9a441"


class Pen:
    """Shapes in units of a hundredth of the picture's side."""

    def __init__(self, ground: str) -> None:
        self.picture = Image.new("RGB", (100 * _SCALE, 100 * _SCALE), ground)
        self._draw = ImageDraw.Draw(self.picture)

    def oval(self, colour: str, x: float, y: float, width: float, height: float) -> None:
        """An ellipse around the point (x, y)."""
        self._draw.ellipse(_scaled(x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill=colour)

    def box(self, colour: str, x: float, y: float, width: float, height: float, round_by: float = 0) -> None:
        """A rectangle from its upper left corner."""
        self._draw.rounded_rectangle(_scaled(x, y, x + width, y + height), round_by * _SCALE, fill=colour)

    def shape(self, colour: str, *points: float) -> None:
        """A polygon through (x, y, x, y, …)."""
        self._draw.polygon(_scaled(*points), fill=colour)

    def line(self, colour: str, thick: float, *points: float) -> None:
        """A line through (x, y, x, y, …) with round ends."""
        self._draw.line(_scaled(*points), fill=colour, width=round(thick * _SCALE), joint="curve")
        for x, y in (points[:2], points[-2:]):
            self.oval(colour, x, y, thick, thick)

    def arc(self, colour: str, thick: float, x: float, y: float, width: float, height: float, *angles: float) -> None:
        """A part of an ellipse around (x, y), from one angle to another, clockwise from the right."""
        corners = _scaled(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        begin, end = angles or (0, 360)
        self._draw.arc(corners, begin, end, fill=colour, width=round(thick * _SCALE))


def _scaled(*numbers: float) -> list[float]:
    return [n * _SCALE for n in numbers]


def _mug(body: str, rim: str) -> Callable[[Pen], None]:
    def draw(pen: Pen) -> None:
        pen.arc(body, 5, 70, 52, 24, 28)
        pen.box(body, 27, 30, 42, 46, 5)
        pen.oval(rim, 48, 31, 42, 9)
        pen.oval(_DARK, 48, 31.5, 37, 6)
        pen.box(rim, 27, 66, 42, 3)

    return draw


def _espresso(pen: Pen) -> None:
    for x, y in ((34, 44), (62, 60)):
        pen.oval("#d8cfc2", x, y + 14, 40, 10)
        pen.arc(_WHITE, 3, x + 14, y, 12, 12)
        pen.box(_WHITE, x - 13, y - 10, 26, 22, 8)
        pen.oval("#e9e2d6", x, y - 9, 26, 7)
        pen.oval("#5b3a26", x, y - 8.6, 22, 5)


def _tea_pot(pen: Pen) -> None:
    pen.arc(_WHITE, 5, 74, 54, 24, 30)
    pen.shape(_WHITE, 34, 50, 15, 34, 11, 37, 26, 68)
    pen.oval(_WHITE, 50, 56, 52, 46)
    pen.oval("#e4dccf", 50, 36, 28, 9)
    pen.oval("#4f7c8a", 50, 29, 7, 7)
    pen.arc("#4f7c8a", 1.6, 50, 56, 52, 20, 10, 170)


def _packet(colour: str, spot: str) -> Callable[[Pen], None]:
    def draw(pen: Pen) -> None:
        pen.box(colour, 29, 22, 42, 60, 2)
        pen.shape(_DARK, 29, 22, 71, 22, 67, 17, 33, 17)
        pen.box(_WHITE, 34, 36, 32, 34, 3)
        pen.line("#5f8a4c", 1.4, 50, 66, 50, 50)
        for x, y in ((50, 46), (43, 52), (57, 52)):
            pen.oval(spot, x, y, 8, 8)

    return draw


def _pan(pen: Pen) -> None:
    pen.line(_DARK, 7, 62, 62, 88, 84)
    pen.oval(_DARK, 45, 46, 60, 60)
    pen.oval("#55504d", 45, 46, 50, 50)
    pen.arc("#6d6763", 1, 45, 46, 40, 40, 200, 290)
    pen.oval("#f4efe4", 84, 80.5, 3, 3)


def _kettle(pen: Pen) -> None:
    pen.arc(_STEEL, 2, 50, 42, 56, 54, 180, 360)
    pen.shape("#2f4d6b", 20, 44, 80, 44, 72, 78, 28, 78)
    pen.oval("#2f4d6b", 50, 77, 46, 10)
    pen.oval("#3f6488", 50, 44, 62, 12)
    pen.oval("#b5442c", 50, 44.5, 54, 8)


def _knife(pen: Pen) -> None:
    pen.shape(_STEEL, 12, 66, 62, 34, 68, 42, 40, 60)
    pen.line("#dfe4e6", 0.8, 14, 65.6, 62, 35)
    pen.line(_WOOD, 8, 66, 37, 86, 24)
    for x, y in ((72, 33), (80, 28)):
        pen.oval(_GOLD, x, y, 2, 2)


def _board(pen: Pen) -> None:
    pen.box(_WOOD, 16, 34, 68, 42, 7)
    for n, y in enumerate((41, 48, 55, 62, 69)):
        pen.line("#96643f", 0.7, 22 + 3 * n, y, 66 + 2 * n, y)
    pen.oval("#eadfce", 76, 55, 7, 7)


def _tin(colour: str) -> Callable[[Pen], None]:
    def draw(pen: Pen) -> None:
        pen.box(colour, 30, 28, 40, 50, 3)
        pen.oval(colour, 50, 78, 40, 8)
        pen.oval(_GOLD, 50, 28, 40, 9)
        pen.box(_WHITE, 30, 42, 40, 24)
        pen.shape(colour, 38, 46, 58, 50, 64, 62, 52, 60)
        pen.line("#4e7d3a", 1.6, 38, 46, 35, 43)

    return draw


def _jar(content: str, cover: str) -> Callable[[Pen], None]:
    def draw(pen: Pen) -> None:
        pen.box(content, 28, 30, 44, 50, 8)
        pen.box(cover, 30, 20, 40, 12, 3)
        pen.box(_WHITE, 28, 46, 44, 20)
        pen.line(content, 2, 36, 53, 64, 53)
        pen.line(content, 1.4, 40, 59, 60, 59)

    return draw


def _towel(pen: Pen) -> None:
    pen.box("#efe6d6", 26, 18, 48, 64, 1)
    for x in (32, 38, 62, 68):
        pen.box("#a03e3a", x - 1, 18, 2, 64)
    pen.box("#d9cdb8", 49, 18, 1, 64)
    pen.line(_STEEL, 2.4, 16, 18, 84, 18)


def _cloth(pen: Pen) -> None:
    pen.shape("#24457a", 50, 16, 86, 50, 50, 84, 14, 50)
    for row in range(5):
        for place in range(5):
            x, y = 50 + (place - row) * 6.4, 24.5 + (place + row) * 6.4
            pen.oval(_WHITE, x, y, 3.2, 3.2)
            pen.oval("#24457a", x, y, 1.2, 1.2)


def _cushion(pen: Pen) -> None:
    pen.box(_DARK, 20, 22, 60, 58, 12)
    for x, y, colour in ((50, 51, "#d6453d"), (36, 38, "#e58a2f"), (64, 38, "#c2418b"), (36, 64, "#c2418b"),
                         (64, 64, "#e58a2f")):  # fmt: skip
        for dx, dy in ((5, 0), (-5, 0), (0, 5), (0, -5)):
            pen.oval(colour, x + dx, y + dy, 7, 7)
        pen.oval(_GOLD, x, y, 5, 5)


def _candles(pen: Pen) -> None:
    for n, height in enumerate((40, 48, 44, 50, 42, 46)):
        x = 20 + n * 10.4
        pen.box("#e0b04a", x, 80 - height, 7.5, height, 1.5)
        pen.line(_DARK, 0.8, x + 3.7, 80 - height, x + 3.7, 76 - height)
        pen.oval("#f6c84c", x + 3.7, 73 - height, 3.4, 6)


def _lamp(pen: Pen) -> None:
    pen.box("#f3ead2", 40, 20, 20, 34, 8)
    pen.oval("#f6c84c", 50, 44, 7, 14)
    pen.box(_GOLD, 38, 52, 24, 5, 2)
    pen.oval(_GOLD, 50, 67, 40, 22)
    pen.box("#b98a32", 32, 76, 36, 5, 2)


def _basket(pen: Pen) -> None:
    pen.arc(_WOOD, 3.4, 50, 46, 52, 56, 180, 360)
    pen.shape("#c08f5e", 18, 46, 82, 46, 74, 80, 26, 80)
    for row, y in enumerate((52, 59, 66, 73)):
        pen.line("#96643f", 1, 20 + row * 1.6, y, 80 - row * 1.6, y)
        for n in range(8):
            x = 25 + n * 6.6 + (row % 2) * 3
            pen.line("#96643f", 0.8, x, y - 3, x, y + 3)
    pen.line(_WOOD, 4, 18, 46, 82, 46)


def _feeder(pen: Pen) -> None:
    pen.line(_DARK, 0.8, 50, 6, 50, 24)
    pen.shape("#7d4a35", 50, 20, 86, 44, 14, 44)
    pen.box("#e6d3b3", 28, 44, 44, 26)
    pen.box("#b98a5b", 22, 70, 56, 6, 1)
    pen.oval(_DARK, 50, 57, 14, 14)
    pen.oval("#3f74a8", 70, 64, 12, 9)
    pen.oval("#3f74a8", 75, 59, 6, 6)
    pen.shape(_GOLD, 78, 58, 82, 60, 78, 61)


_DRAWINGS: dict[str, tuple[str, Callable[[Pen], None]]] = {
    "MUG-BLUE": ("#dfe8f0", _mug("#2f5d8c", _WHITE)), "MUG-RED": ("#f3e0da", _mug("#b5372f", _WHITE)),
    "MUG-STONE": ("#e6e1d6", _mug("#9a8f80", "#6f665a")), "CUP-ESP-2": ("#c9d6cf", _espresso),
    "TEA-POT": ("#cfdde0", _tea_pot), "TEA-LINDEN": ("#e9edd2", _packet("#8fa65a", "#e3c65b")),
    "TEA-ROSEHIP": ("#f4dfd8", _packet("#a8453c", "#c9382f")), "PAN-26": ("#ecdcc8", _pan),
    "POT-GOULASH": ("#f0e3cf", _kettle), "KNIFE-CHEF": ("#dbe3df", _knife), "BOARD-OAK": ("#e5eadb", _board),
    "PAPRIKA-SW": ("#f6e3d0", _tin("#c4472b")), "PAPRIKA-HOT": ("#f3d9cf", _tin("#8f1f1c")),
    "HONEY-ACACIA": ("#f5edd3", _jar("#e4b74c", _GOLD)), "HONEY-LINDEN": ("#edf0d9", _jar("#c98f2b", "#6f8a4a")),
    "JAM-APRICOT": ("#f9e6cf", _jar("#e08a35", "#b5372f")), "TOWEL-LINEN": ("#d9e2e6", _towel),
    "CLOTH-TABLE": ("#e8e4da", _cloth), "CUSHION-MATYO": ("#f2e6df", _cushion), "CANDLE-BEES": ("#e3e0ee", _candles),
    "LAMP-OIL": ("#d6dccf", _lamp), "BASKET-WILLOW": ("#e3ecdc", _basket), "BIRD-FEEDER": ("#d5e6ea", _feeder),
    "SEEDS-MEADOW": ("#dfeede", _packet("#4f8a5b", "#5a7fd0")),
}  # fmt: skip


def draw(sku: str) -> Image.Image | None:
    """Picture of a demo product; None of one that has none."""
    found = _DRAWINGS.get(sku)
    if found is None:
        return None
    ground, drawing = found
    pen = Pen(ground)
    pen.oval(_shade(ground), 50, 82, 74, 9)
    drawing(pen)
    return pen.picture.resize((SIDE, SIDE), Image.Resampling.BOX)


def _shade(colour: str) -> str:
    return "#" + "".join(f"{int(colour[n : n + 2], 16) * 9 // 10:02x}" for n in (1, 3, 5))
