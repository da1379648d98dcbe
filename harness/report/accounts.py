"""The tables of a report on what became of the records: the accounting, files with trouble, dead letters.

In: the evidence of a run. Out: `Table`s of plain text, to be escaped by whoever writes them.
"""

from collections.abc import Mapping, Sequence

from harness.checks import Evidence
from harness.evidence import on_the_way
from harness.history import FileHistory
from harness.ledger import Event
from harness.report.tables import Column, Row, Table, columns_of, text
from harness.report.words import count, legible

FILES_MAX = 100
ACCOUNTS = (
    "files due",
    "delivered",
    "dead-lettered",
    "records delivered",
    "in final table",
    "superseded",
    "on the way",
    "lost",
    "doubled",
    "altered",
    "unexpected",
    "still staged",
)


def accounting(evidence: Evidence) -> Table:
    """What went in and what came out, per type; records, unless it says files."""
    columns = columns_of(["type"], ACCOUNTS)
    rows = [_account(evidence, name, [name]) for name in evidence.facts.types]
    if len(rows) > 1:
        rows.append(_account(evidence, None, evidence.facts.types))
    return Table("Every record accounted for", columns, tuple(rows))


def _account(evidence: Evidence, name: str | None, types: Sequence[str]) -> Row:
    files = [file for file in evidence.files if file.type in types]
    counted = [(file, file.accounted) for file in files if file.accounted is not None]
    totals = [evidence.history.type_totals[one] for one in types if one in evidence.history.type_totals]

    def figures_of(*fields: str) -> list[int]:
        return [sum(getattr(found, field) for _, found in counted) for field in fields]

    waiting = on_the_way(evidence)
    missing = [(file.key in waiting, found.missing) for file, found in counted if file.dead_letter is None]
    on_way, lost = (sum(number for waits, number in missing if waits is wanted) for wanted in (True, False))
    doubled, altered = figures_of("duplicated", "altered")
    unexpected = sum(total["unexpected"] for total in totals)
    figures: list[float | None] = [
        len(files),
        sum(file.acknowledged_s is not None for file in files),
        sum(file.dead_letter is not None for file in files),
        *(figures_of("expected", "merged", "superseded") if counted else [None] * 3),
        *((on_way, lost, doubled, altered) if counted else [None] * 4),
        unexpected if totals else None,
        sum(total["stage_rows"] for total in totals) if totals else None,
    ]  # fmt: skip
    title = "all types" if name is None else text(name)
    return Row((title, *map(count, figures)), name, bool(on_way or lost or doubled or altered or unexpected))


def troubled(evidence: Evidence) -> Table:
    """Files of which something is lost, doubled or altered, or that never reached a final table."""
    waiting = on_the_way(evidence)
    found = [(file, trouble) for file in evidence.files if (trouble := _trouble(file, file.key in waiting))]
    columns = columns_of(["file", "trouble", "last seen", "attempts, newest last"], [])
    rows = [Row((text(file.key), trouble, file.last_stage, _attempts(file)), file.type) for file, trouble in found]
    note = f"{len(found) - FILES_MAX:,} more are not listed." if len(found) > FILES_MAX else ""
    return Table("Files with trouble", columns, tuple(rows[:FILES_MAX]), note)


def _trouble(file: FileHistory, waits: bool) -> str:
    said = []
    if file.not_uploaded is not None:
        said.append(f"not delivered: {text(file.not_uploaded)}")
    if (counted := file.accounted) is not None:
        lost = "on a dead letter queue" if file.dead_letter else "still on their way" if waits else "lost"
        figures = ((counted.missing, lost), (counted.duplicated, "doubled"), (counted.altered, "altered"))
        said += [f"{number:,} of {counted.expected:,} records {what}" for number, what in figures if number]
        if counted.in_stage:
            said.append(f"{counted.in_stage:,} still staged")
    elif file.acknowledged_s is not None and file.merged_s is None:
        said.append("not seen in a final table")
    return "; ".join(said)


def _attempts(file: FileHistory) -> str:
    said = [
        f"{attempt.request_id} ({_outcome(attempt.status, attempt.error, attempt.succeeded)})"
        for attempt in file.attempts
    ]
    return text("; ".join(said) or "none")  # fmt: skip


def _outcome(status: str, error: str | None, succeeded: bool) -> str:
    return error or (status if status != "ok" else "ok" if succeeded else "message failed")


def dead_letters(evidence: Evidence) -> Table:
    """Each message on a dead letter queue, and why: the queue's reason, and what the handler said if that differs."""
    said = _last_errors(evidence)
    found = evidence.history.dead_letters[:FILES_MAX]
    rows = [
        Row(
            (
                text(event["type"]),
                count(event["receive_count"]),
                _reason(event, said),
                text(", ".join(event["keys"]) or f"message {event['message_id']}"),
            ),
            event["type"],
        )
        for event in found
    ]
    left = len(evidence.history.dead_letters) - FILES_MAX
    columns = (Column("type"), Column("received", numeric=True), Column("reason"), Column("file"))
    return Table("Dead letters", columns, tuple(rows), f"{left:,} more are not listed." if left > 0 else "")


def _reason(event: Event, said: Mapping[str, str]) -> str:
    """`said` is the handler's last error by file."""
    reason = legible(str(event["reason"]))
    handler = next((legible(said[key]) for key in event["keys"] if key in said), reason)
    return text(reason if handler == reason else f"{reason}; the handler said last: {handler}")


def _last_errors(evidence: Evidence) -> dict[str, str]:
    return {
        line["file"]: str(line.get("error", ""))
        for event in evidence.history.invocations
        for line in event.get("log_lines", ())
        if line.get("event") == "file_failed" and isinstance(line.get("file"), str)
    }
