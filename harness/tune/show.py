"""Points in the terminal and as a chart.

In: points and a choice. Out: a rich table, and a self-contained HTML page.
"""

from collections.abc import Sequence
from html import escape

from rich.console import Console
from rich.table import Table

from harness.cost import words
from harness.tune.points import Choice, Point

BAR_CELLS = 20


def table(console: Console, points: Sequence[Point], choice: Choice | None, notes: Sequence[str]) -> None:
    """A line a point, cost and latency as bars, the recommended one marked."""
    found = Table(box=None)
    for title in (
        "memory",
        "batch",
        "CPUs",
        "latency",
        "",
        "CPU time",
        "cold start",
        "memory used",
        "1,000 files",
        "",
        "",
    ):
        found.add_column(title, justify="left" if not title else "right")
    slowest, dearest = max(one.latency_s for one in points), max(one.usd for one in points)
    for one in points:
        mark = one.problem or _mark(one, choice)
        found.add_row(
            f"{one.memory_mb:,} MB", f"{one.batch}", f"{one.cpu_share:.2f}", f"{one.latency_s:.2f} s",
            "▇" * max(1, round(one.latency_s / slowest * BAR_CELLS)), f"{one.cpu_s:.2f} s", f"{one.init_s:.1f} s",
            f"{one.peak_mb} MB", f"${one.usd:.4f}", "▇" * max(1, round(one.usd / dearest * BAR_CELLS)), mark,
        )  # fmt: skip
    console.print(found, highlight=False)
    console.print()
    if choice is None:
        console.print("no point is both sound and quick enough", highlight=False)
    else:
        best = choice.recommended
        console.print(
            f"recommended: {best.memory_mb:,} MB, batches of {best.batch}: {best.latency_s:.2f} s, "
            f"${best.usd:.4f} for 1,000 files; {choice.why}",
            highlight=False,
        )
    for note in notes:
        console.print(f"[dim]{note}[/]", highlight=False, soft_wrap=True)


def _mark(one: Point, choice: Choice | None) -> str:
    if choice is None:
        return ""
    if one == choice.recommended:
        return "◀ recommended"
    return "cheapest" if one == choice.cheapest else "fastest" if one == choice.fastest else ""


def page(title: str, points: Sequence[Point], choice: Choice | None, notes: Sequence[str]) -> str:
    """Cost against latency, a line for each batch size; the recommended point is marked."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for batch in sorted({one.batch for one in points}):
        mine = [one for one in points if one.batch == batch]
        figure.add_scatter(
            name=f"batches of {batch}", x=[one.latency_s for one in mine], y=[one.usd for one in mine],
            mode="lines+markers+text", text=[f"{one.memory_mb:,} MB" for one in mine], textposition="top center",
            hovertemplate="%{text}: %{x:.2f} s, $%{y:.4f} for 1,000 files<extra></extra>",
        )  # fmt: skip
    if choice is not None:
        best = choice.recommended
        figure.add_scatter(name="recommended", x=[best.latency_s], y=[best.usd], mode="markers",
                           marker={"size": 22, "symbol": "circle-open", "line": {"width": 3}})  # fmt: skip
    figure.update_layout(xaxis_title="seconds of an invocation (median)", yaxis_title="US dollars for 1,000 files",
                         xaxis_rangemode="tozero", yaxis_rangemode="tozero", height=560)  # fmt: skip
    rows = "".join(
        f"<tr><td>{one.memory_mb:,} MB</td><td>{one.batch}</td><td>{one.cpu_share:.2f}</td>"
        f"<td>{one.latency_s:.2f} s</td><td>{one.cpu_s:.2f} s</td>"
        f"<td>{one.init_s:.1f} s</td><td>{one.peak_mb} MB</td><td>{words.usd(one.usd)}</td>"
        f"<td>{escape(one.problem or _mark(one, choice))}</td></tr>"
        for one in points
    )
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    best_said = "" if choice is None else (
        f"<p><b>Recommended: {choice.recommended.memory_mb:,} MB, batches of {choice.recommended.batch}</b>: "
        f"{escape(choice.why)}.</p>"
    )  # fmt: skip
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title><style>"
        "body{font:16px system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "td,th{padding:.2rem .7rem;text-align:right}</style></head><body>"
        f"<h1>{escape(title)}</h1>{best_said}{figure.to_html(full_html=False, include_plotlyjs=True)}"
        "<table><tr><th>memory</th><th>batch</th><th>CPUs</th><th>latency</th><th>CPU time</th><th>cold start</th>"
        f"<th>memory used</th><th>1,000 files</th><th></th></tr>{rows}</table>{said}</body></html>\n"
    )
