"""The promise that every row says truly where it came from, which is what people find a wrong one by.

In: `Evidence`. Out: a `Check`. A file's rows in the final table name it as their `source_file`, their place in it as
`source_row`, and as `loaded_at` a time in UTC between its upload and the last merge.
"""

from harness.evidence import Check, Evidence, Verdict, accounting_missing, count_of_files, named
from harness.history import FileHistory

# Clocks may differ by as much; the smallest mistake of a time zone is a quarter of an hour.
CLOCKS_DIFFER_MAX_S = 120.0


def lineage() -> Check:
    """Every row in a final table names the file and row that it came from, and when it was loaded.

    In a batch job the row is its place in the task that read the file: Spark counts those, over several small files.
    """

    def judge(evidence: Evidence) -> tuple[Verdict, str]:
        if unknown := accounting_missing(evidence):
            return unknown
        if any(file.accounted and file.accounted.from_other_file is None for file in evidence.delivered):
            return Verdict.INCONCLUSIVE, "where the rows say they come from was not counted"
        last_merge_s = max((merge.ended_s for merge in evidence.history.merges), default=None)
        wrong = [
            f"{file.key}: {said}"
            for file in evidence.delivered
            if (
                said := _wrong_source(file, rows_are_of_files=evidence.facts.design != "batch")
                or _wrong_time(file, last_merge_s)
            )
        ]
        if wrong:
            return Verdict.FAIL, f"{count_of_files(len(wrong))} with rows that tell a wrong origin: {named(wrong)}"
        return Verdict.PASS, "every row names the file and row that it came from"

    return Check("lineage", judge)


def _wrong_source(file: FileHistory, *, rows_are_of_files: bool) -> str | None:
    counted = file.accounted
    if counted and counted.from_other_file:
        return f"{counted.from_other_file:,} of its records have another file as their source_file"
    if counted and counted.from_other_row and rows_are_of_files:
        return f"{counted.from_other_row:,} records have another source_row than their place in the file"
    return None


def _wrong_time(file: FileHistory, last_merge_s: float | None) -> str | None:
    counted = file.accounted
    if not counted or counted.loaded_first_s is None or counted.loaded_last_s is None:
        return None
    if file.started_s is not None and counted.loaded_first_s < file.started_s - CLOCKS_DIFFER_MAX_S:
        early_s = file.started_s - counted.loaded_first_s
        return f"its loaded_at is {early_s:,.0f} s before its upload: it has to be UTC"
    if last_merge_s is not None and counted.loaded_last_s > last_merge_s + CLOCKS_DIFFER_MAX_S:
        late_s = counted.loaded_last_s - last_merge_s
        return f"its loaded_at is {late_s:,.0f} s after the last merge: it has to be UTC"
    return None
