"""A judgement in words, for the terminal."""

from harness.checks import Verdict
from harness.verdict import Judgement

_MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}


def verdict_text(judgement: Judgement) -> str:
    """The verdict, every check with its sentence, and where the time went."""
    found = judgement.to_json()
    files, records, latency = found["files"], found["records"], found["latency_s"]
    lines = [
        f"{found['verdict'].upper()}  {found['scenario']} (seed {found['seed']}, time scale {found['time_scale']:g})",
        "",
    ]
    lines += [f"  {_MARKS[result.verdict]} {result.name:<18} {result.detail}" for result in judgement.results]
    lines += [
        "",
        f"  files    {files['scheduled']} scheduled, {files['uploaded']} uploaded, {files['loaded']} loaded, "
        f"{files['merged']} merged, {files['dead_lettered']} dead-lettered",
        f"  records  {records['merged']:,} of {records['expected']:,} in the final tables, {records['lost']:,} lost, "
        + (f"{records['on_the_way']:,} still on their way, " if records["on_the_way"] else "")
        + f"{records['duplicated']:,} duplicated",
    ]
    if found["warehouse_model"]:
        lines.append(f"  latency model of the warehouse: {found['warehouse_model']}")
    if latency["end_to_end"]:
        lines += ["", f"  {'seconds':<12} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}"]
        stages = {"end to end": latency["end_to_end"], **latency["stages"]}
        for stage, figures in stages.items():
            values = [figures[name] if figures else None for name in ("p50", "p95", "p99", "max")]
            cells = " ".join("–".rjust(8) if value is None else f"{value:8.2f}" for value in values)
            lines.append(f"  {stage:<12} {cells}")
    if cost := found["cost"]:
        lines += [
            "",
            f"  cost     ${cost['usd_per_1000_files']:.4f} for 1,000 files, without landing and warehouse; a model: "
            f"{cost['model']}",
        ]
    return "\n".join(lines)
