"""Small line plots as inline SVG: nothing is loaded, nothing is drawn by script, they print and export."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from erp.board.history import Series

WIDTH, HEIGHT = 320, 88
LEFT, RIGHT, TOP, BOTTOM = 44, 6, 8, 18


def line_plot(series: Series, *, title: str, limit: float | None, show: Callable[[float], str]) -> SafeString:
    """One line over time, with a dashed line at its limit.

    Args:
        limit: the promised bound (a window, a threshold); None draws none.
        show: a value as text for the axis.
    """
    if not series:
        return mark_safe('<p class="text-base-400 text-xs">Nothing recorded yet.</p>')  # noqa: S308
    highest = max(value for _, value in series)
    top = max(highest, limit or 0.0) * 1.1 or 1.0
    first, last = series[0][0], series[-1][0]
    span = (last - first).total_seconds() or 1.0

    def place(at: float, value: float) -> str:
        x = LEFT + at / span * (WIDTH - LEFT - RIGHT)
        y = TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    points = [place((at - first).total_seconds(), value) for at, value in series]
    over = [p for p, (_, value) in zip(points, series, strict=True) if limit is not None and value > limit]
    marks = "".join(f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="2.5" class="plot-over"/>' for p in over)
    return format_html(
        '<svg class="plot" role="img" viewBox="0 0 {} {}" width="{}" height="{}"><title>{}</title>{}'
        '<polyline class="plot-line" points="{}"/>{}'
        '<text x="{}" y="{}" class="plot-text" text-anchor="end">{}</text>'
        '<text x="{}" y="{}" class="plot-text">{}</text>'
        '<text x="{}" y="{}" class="plot-text" text-anchor="end">{}</text></svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, title, _frame(place, limit, show, span),
        " ".join(points if len(points) > 1 else [points[0], place(span, series[0][1])]), mark_safe(marks),  # noqa: S308
        LEFT - 4, TOP + 8, show(highest) if highest > (limit or 0.0) else "",
        LEFT, HEIGHT - 4, f"{first:%m-%d %H:%M}",
        WIDTH - RIGHT, HEIGHT - 4, f"{last:%m-%d %H:%M}",
    )  # fmt: skip


def _frame(
    place: Callable[[float, float], str], limit: float | None, show: Callable[[float], str], span: float
) -> SafeString:
    x, y = place(0, 0).split(",")
    _, at = place(0, limit or 0.0).split(",")
    is_apart = not limit or float(y) - float(at) > 9  # else the two labels would lie on each other
    base = format_html(
        '<line class="plot-axis" x1="{}" y1="{}" x2="{}" y2="{}"/>'
        '<text x="{}" y="{}" class="plot-text" text-anchor="end">{}</text>',
        x, y, WIDTH - RIGHT, y, LEFT - 4, y, show(0.0) if is_apart else "",
    )  # fmt: skip
    if not limit:
        return base
    return format_html(
        '{}<line class="plot-limit" x1="{}" y1="{}" x2="{}" y2="{}"/><text x="{}" y="{}" class="plot-text" '
        'text-anchor="end">{}</text>',
        base, LEFT, at, WIDTH - RIGHT, at, LEFT - 4, float(at) + 3, show(limit),
    )  # fmt: skip


def seconds(value: float) -> str:
    """An age."""
    return f"{value:.0f} s" if value >= 10 or value == 0 else f"{value:.1f} s"


def percent(value: float) -> str:
    """A drift."""
    return f"{value:.4%}" if 0 < value < 0.0001 else f"{value:.2%}" if value else "0"
