"""The drill's report: one HTML file with its figures and plots, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from storefront.drill.measure import Log, per_second, percentile
from storefront.drill.running import SLOW_S, WINDOW_S

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 200, 48, 24, 12
Points = Sequence[tuple[float, float]]

_STYLE = mark_safe("""
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1f2937}
h1{font-size:1.5rem;margin-bottom:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.muted{color:#4b5563}
table{border-collapse:collapse;width:100%}td,th{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #e5e7eb}
td:first-child,th:first-child{text-align:left}.bad{color:#b91c1c;font-weight:600}.good{color:#15803d;font-weight:600}
svg{width:100%;height:auto;background:#f9fafb;border-radius:.4rem}svg text{font-size:11px;fill:#4b5563}
.p50{stroke:#2563eb}.p99{stroke:#b45309}.line{fill:none;stroke-width:1.6}.limit{stroke:#b91c1c;stroke-dasharray:5 4}
.axis{stroke:#9ca3af}
""")  # our own constant


def plot(title: str, lines: Mapping[str, Points], *, limit: float | None = None, unit: str = "s") -> SafeString:
    """Lines over the seconds of the run; ``limit`` is drawn dashed."""
    values = [value for points in lines.values() for _, value in points]
    top = max([*values, limit or 0.0, 0.001]) * 1.1
    last = max((at for points in lines.values() for at, _ in points), default=1.0) or 1.0

    def x(at: float) -> float:
        return round(LEFT + at / last * (WIDTH - LEFT - 12), 1)

    def y(value: float) -> float:
        return round(TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM), 1)

    drawn = format_html_join(
        "",
        '<polyline class="line {}" points="{}"/>',
        ((name, " ".join(f"{x(at)},{y(value)}" for at, value in points)) for name, points in lines.items()),
    )
    edge = format_html(
        '<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}">{} {}</text>',
        LEFT, WIDTH - 12, y(limit), y(limit), LEFT + 4, y(limit) - 4, f"{limit:g}", unit,
    ) if limit is not None else ""  # fmt: skip
    return format_html(
        '<h2>{}</h2><svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>{}{}'
        '<text x="4" y="{}">{} {}</text><text x="4" y="{}">0</text><text x="{}" y="{}" text-anchor="end">{} s</text>'
        "</svg>",
        title, WIDTH, HEIGHT, title, LEFT, WIDTH - 12, y(0), y(0), edge, drawn, TOP + 8, f"{top / 1.1:.3g}", unit,
        y(0) + 4, WIDTH - 12, HEIGHT - 6, f"{last:.0f}",
    )  # fmt: skip


def _plots(log: Log) -> SafeString:
    def of(share: float) -> Any:
        return lambda values: percentile(values, share)

    orders = Counter(int(bought.at_s) for bought in log.bought)
    latency = {
        "p50": per_second(log, lambda s: s.took_s, of(0.5)),
        "p99": per_second(log, lambda s: s.took_s, of(0.99)),
    }
    shown = {
        "p50": per_second(log, lambda s: s.at_arrival_s, of(0.5)),
        "p99": per_second(log, lambda s: s.at_arrival_s, max),
    }
    rates = [(float(at), float(orders[at])) for at in range(int(max(orders, default=0)) + 1)]
    return mark_safe(  # noqa: S308  each part is escaped
        plot("How long pages took: half of them (blue), the slowest of a hundred (brown)", latency, limit=SLOW_S)
        + plot("Oldest stock figure on a page: middle (blue), oldest (brown)", shown, limit=WINDOW_S)
        + plot("Orders taken per second", {"p50": rates}, unit="/s")
    )


def _row(name: str, value: Any, good: bool | None = None) -> SafeString:
    mark = "" if good is None else "good" if good else "bad"
    return format_html('<tr><td>{}</td><td class="{}">{}</td></tr>', name, mark, value)


def _figures(figures: dict[str, Any]) -> SafeString:
    shown, took = figures["oldest_stock_at_arrival_s"], figures["latency_s"]
    rows = [
        _row("Orders per second", figures["orders_per_s"]),
        _row("Orders taken / refused", f"{figures['orders']} / {figures['orders_refused']}", figures["orders"] > 0),
        _row("Pages per second", figures["pages_per_s"]),
        _row("A page took: p50 / p99 / max", f"{took['p50']} / {took['p99']} / {took['max']} s"),
        _row(
            "Oldest stock shown, when the page had arrived: p50 / p99 / max",
            f"{shown['p50']} / {shown['p99']} / {shown['max']} s",
            shown["max"] < WINDOW_S,
        ),
        _row("Oversold pieces", figures["oversold"], figures["oversold"] == 0),
        _row("Server errors (5xx)", figures["errors_5xx"], figures["errors_5xx"] == 0),
        _row("Requests without an answer", figures["no_answer"], figures["no_answer"] == 0),
        _row("What should not happen", _failures(figures["failures"])),
        _row("Deadlocks that PostgreSQL counted", figures["deadlocks_seen"]),
        _row("Pieces received / products edited meanwhile", f"{figures['received']} / {figures['edits']}"),
    ]  # fmt: skip
    return mark_safe("".join(rows))  # noqa: S308  each row is escaped


def _failures(failures: Mapping[str, int]) -> str:
    return "; ".join(f"{what}: {times}" for what, times in sorted(failures.items())) or "nothing"


def _by_page(figures: dict[str, Any]) -> SafeString:
    return format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        ((kind, f["p50"], f["p99"], f["max"]) for kind, f in figures["latency_by_page_s"].items()),
    )


def _steps(steps: Sequence[dict[str, Any]]) -> SafeString:
    if len(steps) < 2:
        return mark_safe("")
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{} / {}</td><td>{} / {} / {}</td><td>{}</td><td>{}</td>"
        '<td class="{}">{}</td></tr>',
        (
            (
                s["shoppers"], s["orders_per_s"], s["latency_s"]["p50"], s["latency_s"]["p99"],
                *(s["oldest_stock_at_arrival_s"][of] for of in ("p50", "p99", "max")),
                s["oversold"], s["errors_5xx"], "good" if s["held"] else "bad", "held" if s["held"] else "did not hold",
            )
            for s in steps
        ),
    )  # fmt: skip
    return format_html(
        "<h2>Steps</h2><table><tr><th>Shoppers</th><th>Orders/s</th><th>A page: p50 / p99 s</th>"
        "<th>Oldest stock: p50 / p99 / max s</th><th>Oversold</th><th>5xx</th><th></th></tr>{}</table>",
        rows,
    )


def render(figures: dict[str, Any], log: Log, steps: Sequence[dict[str, Any]], at: datetime) -> str:
    """The whole file."""
    return format_html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Black Friday drill</title>'
        "<style>{}</style></head><body><h1>Black Friday drill</h1>"
        '<p class="muted">{} shoppers, {} s, ended {} UTC: <span class="{}">{}</span></p>'
        "<table>{}</table>{}{}<h2>By page, in seconds</h2>"
        "<table><tr><th>Page</th><th>p50</th><th>p99</th><th>max</th></tr>{}</table></body></html>",
        _STYLE, figures["shoppers"], figures["seconds"], f"{at:%Y-%m-%d %H:%M}",
        "good" if figures["passed"] else "bad", "passed" if figures["passed"] else "FAILED",
        _figures(figures), _steps(steps), _plots(log), _by_page(figures),
    )  # fmt: skip
