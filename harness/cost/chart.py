"""Bills as one self-contained HTML page.

In: bills and comparisons. Out: the page's text; plotly.js travels inside, so it needs no network.
"""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from harness.cost import words
from harness.cost.bill import Bill
from harness.cost.comparison import PUBLISHED_RATIO, Comparison, Variant


def page(origin: str, comparison: Comparison, variants: Sequence[Variant]) -> str:
    """Both designs' services, every line as a table, and what other settings would cost."""
    figure = go.Figure()
    services = list(dict.fromkeys([*comparison.new.by_service(), *comparison.old.by_service()]))
    bills = (comparison.new, comparison.old)
    for service in services:
        amounts = [bill.of(service) for bill in bills]
        figure.add_bar(name=service, y=[bill.design for bill in bills], x=amounts, orientation="h",
                       hovertemplate=f"{service}: $%{{x:,.2f}}<extra></extra>")  # fmt: skip
    figure.update_layout(barmode="stack", xaxis_title=f"US dollars in {comparison.new.days:g} days", height=320,
                         margin={"l": 150})  # fmt: skip
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Cost</title><style>",
        "body{font:16px system-ui;margin:2rem auto;max-width:90rem;padding:0 1rem}table{border-collapse:collapse}",
        "td,th{padding:.2rem .7rem;text-align:right;white-space:nowrap}td:first-child,td:nth-child(2),th,td.how",
        "{text-align:left}td.how{color:#667;white-space:normal}div{overflow-x:auto}",
        "</style></head><body><h1>What it would cost</h1>",
        f"<p>{escape(origin)}. {words.MODEL}</p>",
        f"<p><b>new / old = {comparison.own_ratio:.2f}</b> without what both designs have, "
        f"{comparison.whole_ratio:.2f} with it; published: about {PUBLISHED_RATIO:g}.</p>",
        figure.to_html(full_html=False, include_plotlyjs=True),
        *(_table(bill) for bill in bills),
        _settings(variants),
        _sources(bills),
        "</body></html>\n",
    ]
    return "".join(parts)


def _table(bill: Bill) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.service)}</td><td>{escape(line.what)}</td><td>{words.quantity(line.quantity)} "
        f"{line.unit}</td><td>× {words.price(line)}</td><td>= {words.usd(line.amount_usd)}</td>"
        f"<td class='how'>{escape(line.how)}</td><td>{escape(line.price.date)}</td></tr>"
        for line in bill.lines
    )
    return (
        f"<h2>{escape(bill.design)}: {words.usd(bill.total_usd)} in {bill.days:g} days, {escape(bill.region)}</h2>"
        "<div><table><tr><th>service</th><th>what</th><th>quantity</th><th>price</th><th>amount</th><th>how</th>"
        f"<th>price of</th></tr>{rows}</table></div>"
    )


def _sources(bills: Sequence[Bill]) -> str:
    sources = dict.fromkeys(line.price.source for bill in bills for line in bill.lines)
    return f"<h2>Prices</h2><ul>{''.join(f'<li>{escape(source)}</li>' for source in sources)}</ul>"


def _settings(variants: Sequence[Variant]) -> str:
    rows = "".join(
        f"<tr><td>{one.what}</td><td>{one.value}</td><td>{words.usd(one.usd_per_day)}</td>"
        f"<td>{'' if one.computing_usd is None else words.usd(one.computing_usd)}</td></tr>"
        for one in variants
    )
    return (
        "<h2>Other settings, a day</h2><table><tr><th>setting</th><th>value</th><th>a day</th>"
        f"<th>if the time in the function were all CPU</th></tr>{rows}</table>"
    )
