"""`report.html`: one self-contained file that answers "did it hold, and if not, where did the time go?".

In: a judgement. Out: the text of the page. Words and tables are in the HTML itself, for readers without scripts and
screen readers; the charts are drawn by plotly.js, which travels inside, compressed. The page may load nothing from
anywhere: its content security policy names the hashes of the two scripts in it and forbids the rest. Everything that
comes from the run is escaped by the template, or as JSON that cannot end its element.
"""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from harness.checks import Evidence, Verdict, outage_in_words
from harness.report import accounts, breakdown, costs, scene, story, tables
from harness.report.figures import figures
from harness.report.scene import Figure
from harness.report.stations import stations
from harness.report.suspects import stations_at_fault
from harness.report.words import count, one_line, percent, seconds, several, writable
from harness.verdict import Judgement

WORDS = {
    Verdict.PASS: ("It held.", "✓"),
    Verdict.FAIL: ("It did not hold.", "✗"),
    Verdict.INCONCLUSIVE: ("This run cannot tell.", "?"),
}
CONTENTS = {
    "latency": "Latency", "breakdown": "Where the time goes", "distribution": "Percentiles", "arrivals": "Arrivals",
    "waiting": "What waited where",
}  # fmt: skip
WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def page(judgement: Judgement, run: str) -> str:
    """The whole report; `run` is the run's id."""
    evidence, drawn = judgement.evidence, figures(judgement.evidence)
    script, style = _asset("report.js"), _asset("report.css")
    written = _environment().get_template("report.html").render(
        run=run,
        judgement=judgement,
        facts=evidence.facts,
        word=WORDS[judgement.verdict],
        headline=story.headline(judgement),
        findings=story.findings(judgement),
        headroom=_headroom(evidence),
        stations=stations(evidence, stations_at_fault(evidence) if judgement.verdict is Verdict.FAIL else ()),
        tiles=_tiles(judgement),
        checks=sorted(judgement.results, key=lambda result: WORST_FIRST.index(result.verdict)),
        figures=drawn,
        tables={
            "percentiles": tables.percentiles(evidence),
            "slowest": tables.slowest(evidence),
            "accounting": accounts.accounting(evidence),
            "troubled": accounts.troubled(evidence),
            "dead_letters": accounts.dead_letters(evidence),
            "merges": tables.merges(evidence),
            "times": tables.times(evidence),
            "cost": costs.cost_table(evidence),
            "facts": tables.facts(evidence),
        },
        contents=_contents(drawn, "cost" in drawn),
        again=evidence.facts.command,
        parts=_legend_of_parts(evidence),
        shades={"merge": scene.MERGE_SHADE, "fault": scene.FAULT_SHADE},
        has_faults=bool(evidence.history.faults),
        trust=_trust(evidence),
        groups=[scene.ALL, *evidence.facts.types],
        data=_json(drawn),
        plotly=_packed_plotly(),
        script=Markup(script),
        style=Markup(style),
        hashes=(_hash(script), _hash(get_plotlyjs())),
    )  # fmt: skip
    return writable(written.lstrip())


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": seconds, "line": lambda value: one_line(writable(str(value)))}
    return environment


def _asset(name: str) -> str:
    return (files("harness.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


@cache
def _packed_plotly() -> str:
    # mtime=0: the same run gives the same bytes of report
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


def chart_data(drawn: dict[str, Figure]) -> dict[str, dict[str, Any]]:
    """What the page's script draws from."""
    return {
        name: {
            "traces": figure.traces, "layout": figure.layout, "height": figure.height_px, "summary": figure.summary,
        }
        for name, figure in drawn.items()
    }  # fmt: skip


def chart_page(template: str, figures: dict[str, Figure], **values: Any) -> str:
    """Another page of charts than the report, from a template and its values."""
    script = _asset("report.js")
    written = _environment().get_template(template).render(
        figures=figures,
        data=_json(figures),
        plotly=_packed_plotly(),
        script=Markup(script),
        style=Markup(_asset("report.css")),
        hashes=(_hash(script), _hash(get_plotlyjs())),
        **values,
    )  # fmt: skip
    return writable(written.lstrip())


def _json(drawn: dict[str, Figure]) -> Markup:
    text = json.dumps(chart_data(drawn), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # a script element ends at "</script", whatever its type, and "<!--" changes how it is read
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _headroom(evidence: Evidence) -> dict[str, Any] | None:
    """Where the slowest file and the limit are on the bar, in per cent of its width."""
    worst_s = max((file.end_to_end_s for file in evidence.files if file.end_to_end_s is not None), default=None)
    if worst_s is None:
        return None
    limit_s = evidence.facts.sla_s
    whole_s = max(worst_s, limit_s) * 1.04
    left = 1 - worst_s / limit_s
    met = worst_s <= limit_s
    return {
        "worst": seconds(worst_s),
        "limit": seconds(limit_s),
        "used_percent": round(worst_s / whole_s * 100, 2),
        "limit_percent": round(limit_s / whole_s * 100, 2),
        "met": met,
        "words": f"{percent(left)} of the SLA left" if met else f"{seconds(worst_s - limit_s)} over the SLA",
    }


def _tiles(judgement: Judgement) -> list[tuple[str, str, bool]]:
    """Label, figure, and whether it is bad."""
    figures, evidence = judgement.to_json(), judgement.evidence
    files, records, offered = figures["files"], figures["records"], figures["offered"]
    lag = offered["start_lag_ms"]
    rate = figures["throughput"]["files_per_min"]
    known = records["expected"] > 0
    refused = sum(file.is_reject for file in evidence.delivered)
    dead = "dead letters" + (f", {refused:,} expected" if refused else "")
    lag_bad = any(one.name == "offered_rate_held" and one.verdict is not Verdict.PASS for one in judgement.results)
    return [
        ("files in final tables", f"{files['merged']:,} of {files['scheduled'] - refused:,}",
         files["merged"] < files["uploaded"] - refused),
        ("records lost", count(records["lost"] if known else None), records["lost"] > 0),
        *[("records still on their way", count(records["on_the_way"]), True)] * bool(records["on_the_way"]),
        ("records doubled", count(records["duplicated"] if known else None), records["duplicated"] > 0),
        ("records altered", count(records["altered"] if known else None), records["altered"] > 0),
        (dead, count(files["dead_lettered"]), files["dead_lettered"] != refused),
        ("offered, files/min", f"{offered['files_per_min']:.0f}", False),
        ("completed, files/min", "–" if rate is None else f"{rate:.0f}", False),
        ("start lag, p99", seconds(lag["p99"] / 1000 if lag else None), lag_bad),
    ]  # fmt: skip


def _contents(drawn: dict[str, Figure], priced: bool) -> list[tuple[str, str]]:
    """Anchor and title of each part of the page."""
    charts = [(name, title) for name, title in CONTENTS.items() if name in drawn]
    ends = [("records", "Records"), ("merges", "Merge job"), ("costs", "Cost"), ("trust", "Can it be trusted?"),
            ("facts", "What ran")]  # fmt: skip
    return [("checks", "Checks"), *charts, *(one for one in ends if priced or one[0] != "costs")]


def _legend_of_parts(evidence: Evidence) -> list[tuple[str, str]]:
    parts = breakdown.parts_in(breakdown.of_run(evidence.history))
    return [(breakdown.label(part), breakdown.meaning(part)) for part in parts]


def _trust(evidence: Evidence) -> list[str]:
    """What speaks for or against believing this run's figures."""
    history = evidence.history
    said = []
    if evidence.ledger_defects:
        said.append(f"The ledger is not whole: {'; '.join(evidence.ledger_defects[:3])}.")
    else:
        said.append("The ledger is whole: no event is missing.")
    if history.interrupted:
        said.append("The run was interrupted.")
    said += [f"The harness had trouble: {one_line(problem)}." for problem in history.problems[:10]]
    said += [f"Unplanned: {one_line(outage_in_words(outage))}." for outage in history.outages[:10]]
    if not (history.problems or history.outages):
        said.append("No probe and no part of the stack ended early.")
    if history.others_cpu_share is not None:
        said.append(f"Other programs took {percent(history.others_cpu_share)} of the machine's CPU.")
    if history.samples:
        said.append(f"Queues and stage tables were looked at {several(len(history.samples), 'time')}.")
    return said
