"""Bills in the terminal: a table of lines, shares as bars, the ratio, what other settings would cost.

In: bills and comparisons. Out: text, by rich.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from harness.cost import words
from harness.cost.batch import BatchJob
from harness.cost.bill import Bill
from harness.cost.comparison import PUBLISHED_RATIO, Comparison, Variant
from harness.cost.load import Load

BAR_CELLS = 40


def show_load(console: Console, load: Load) -> None:
    """What is priced."""
    console.print(f"[bold]{load.origin}[/]", highlight=False)
    console.print(
        f"{load.files_per_day / 1_440:,.4g} files/min of {load.records_per_file:,.0f} records "
        f"({load.file_bytes / 1e6:.2f} MB), {load.function_s_per_file:.4g} s billed a file at "
        f"{load.memory_mb:,.0f} MB, a merge of {load.merge_s:.3g} s every {load.merge_every_s / 60:.3g} min",
        highlight=False,
    )
    console.print(f"[dim]{words.MODEL}[/]", highlight=False)


def show_bill(console: Console, bill: Bill) -> None:
    """Every line as quantity × price = amount, then the services' shares."""
    table = Table(title=f"{bill.design}, {bill.region}, {bill.days:g} days", title_justify="left", box=None)
    for title in ("service", "what"):
        table.add_column(title)
    for title in ("quantity", "price", "amount"):
        table.add_column(title, justify="right")
    table.add_column("how", style="dim")
    for line in bill.lines:
        table.add_row(line.service, line.what, f"{words.quantity(line.quantity)} {line.unit}", f"× {words.price(line)}",
                      f"= {words.usd(line.amount_usd)}", line.how)  # fmt: skip
    table.add_section()
    table.add_row("[bold]total[/]", "", "", "", f"[bold]{words.usd(bill.total_usd)}[/]", "")
    console.print()
    console.print(table, highlight=False)
    console.print()
    show_shares(console, bill)


def show_shares(console: Console, bill: Bill) -> None:
    """A bar a service."""
    for service, amount in bill.by_service().items():
        share = amount / bill.total_usd if bill.total_usd else 0.0
        bar = "█" * round(share * BAR_CELLS)
        console.print(f"  {service:<16} {bar:<{BAR_CELLS}} {share:6.1%} {words.usd(amount):>12}", highlight=False)


def show_comparison(console: Console, found: Comparison, job: BatchJob, load: Load) -> None:
    """New against old beside the published ratio, and what would give it."""
    console.print()
    console.print(
        f"[bold]new / old = {found.own_ratio:.2f}[/] without what both have (landing, warehouse), "
        f"{found.whole_ratio:.2f} with it; published: about {PUBLISHED_RATIO:g}",
        highlight=False,
    )
    console.print(
        f"  old: {job.dpus:g} DPUs for {job.run_s / 60:.4g} min every {job.every_s / 60:g} min ({job.origin})"
        + (": it never catches up" if job.run_s > job.every_s else "")
        + "\n"
        f"  {PUBLISHED_RATIO:g} would take runs of {found.old_minutes_for_tenth:,.0f} min at {job.dpus:g} DPUs"
        + (" (more than its interval)" if found.old_minutes_for_tenth * 60 > job.every_s else "")
        + f", or {found.function_s_for_tenth:.3g} s a file in the function instead of {load.function_s_per_file:.3g} s",
        highlight=False,
    )


def show_sensitivity(console: Console, variants: Sequence[Variant]) -> None:
    """What a day costs with other settings."""
    table = Table(title="other settings, a day", title_justify="left", box=None)
    table.add_column("setting")
    table.add_column("value", justify="right")
    table.add_column("a day", justify="right")
    table.add_column("if the time in the function were all CPU", justify="right")
    for one in variants:
        computing = "" if one.computing_usd is None else words.usd(one.computing_usd)
        table.add_row(one.what, one.value, words.usd(one.usd_per_day), computing)
    console.print()
    console.print(table, highlight=False)


def show_sources(console: Console, *bills: Bill) -> None:
    """Where the prices are from, and of which day."""
    console.print("\n[dim]prices:[/]", highlight=False)
    by_source: dict[str, list[str]] = {}
    for line in {line.key: line for bill in bills for line in bill.lines}.values():
        by_source.setdefault(words.dated(line.price), []).append(line.key)
    for source, keys in by_source.items():
        console.print(f"[dim]  {', '.join(keys)}: {source}[/]", highlight=False, soft_wrap=True)
