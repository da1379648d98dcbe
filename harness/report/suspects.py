"""Which station of the way is at fault, and what speaks for it: the evidence behind the words of a failed run.

In: the evidence of a run. Out: `Suspect`s; each names one of `STATIONS`. Losses are told apart by counting rows from
station to station: what the handler says it loaded, what the merges took from the stage tables, what they put into the
final tables, and what is there. A count that was not seen convicts nobody.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from harness.checks import Evidence
from harness.history import FileHistory
from harness.report.blame import late_files, nobody_ran
from harness.report.series import at_once as at_once_of
from harness.report.words import legible, listed, one_line, seconds, several

# In the order in which a file passes them.
STATIONS = ("upload", "queue", "handler", "merge", "final")
PUTS = ("insert", "merge", "update")
REASONS_MAX = 3
# Redshift's and PostgreSQL's words, and their code.
NO_CONNECTION = re.compile(r"connection limit .* exceeded|too many connections|\b53300\b")
REASON_LETTERS_MAX = 240

STATION_OF_PART = {
    "start_lag": "upload", "upload": "upload", "notify": "queue", "queue": "queue", "batch_wait": "queue",
    "retries": "handler", "batch_retries": "handler", "cold_start": "handler", "batch": "handler",
    "init_again": "handler", "handler_rest": "handler", "merge_wait": "merge", "merge": "merge",
}  # fmt: skip
WHERE_LOST = {
    "planned": ("upload", "they were never made"),
    "made": ("upload", "they never reached S3"),
    "uploaded": (
        "queue",
        "S3 acknowledged them, and no function was ever handed their messages: the notification or the queue",
    ),
    "queued": (
        "handler",
        "their messages were handed to the function, which never took one without an error: the handler",
    ),
    "handled": (
        "handler",
        "the function answered that all was well, but logged no commit to the stage table: the handler",
    ),
    "staged": ("merge", "they were committed to the stage table, and no merge run carried them on: the merge job"),
    "merged": (
        "merge",
        "a merge run committed with them, and yet the rows are not in the final table: the merge job, "
        "or something that deletes from the final table",
    ),
}
# Of a run that could not drain in time: who did not come to these files, and where they were.
STILL_ON_THE_WAY = {
    "uploaded": ("handler", "on a queue that the functions did not empty"),
    "queued": ("handler", "coming back to the function, which took them with an error each time"),
    "staged": ("merge", "in the stage table, waiting for a merge run"),
}
WHERE_LOST_IN_BATCHES = {
    "uploaded": (
        "queue",
        "S3 acknowledged them, and no run of the batch job committed them: it did not pick them, or it failed",
    ),
    "handled": ("handler", "a run of the batch job committed with them, and yet the rows are not in the final table"),
}


@dataclass(frozen=True)
class Suspect:
    """A station, and a sentence of what was seen there."""

    station: str
    why: str


@dataclass(frozen=True)
class RowCounts:
    """Rows of one data type that passed each station; None where nobody counted them."""

    delivered: int
    loaded: int | None
    taken: int | None
    put: int | None
    final: int | None


def suspects(evidence: Evidence) -> list[Suspect]:
    """What is at fault for records that are lost or wrong, and for files that got nowhere; lateness is `blame`'s."""
    found = [*_lost(evidence), *_doubled(evidence), *_altered(evidence), *_unexpected(evidence)]
    refused = list(_no_connections(evidence))
    merges = [] if _merges_starved(evidence) else _merge_errors(evidence)
    return [*refused, *found, *merges, *_dead_letters(evidence), *_not_refused(evidence)]


def stations_at_fault(evidence: Evidence) -> set[str]:
    """Of the suspects, and where late files lost their time; a queue is long because the functions behind it are slow
    or few, so these are marked with it, unless none ran at all."""
    found = {suspect.station for suspect in suspects(evidence)}
    if late := late_files(evidence):
        station = STATION_OF_PART.get(late.excess.part, "handler")
        found |= {station, "handler"} if late.excess.part == "queue" and not nobody_ran(evidence, late) else {station}
    if _merges_starved(evidence):
        found.discard("merge")
    return found


def row_counts(evidence: Evidence, name: str) -> RowCounts:
    """How many rows of a type were seen where, without those of dead letters."""
    files = [file for file in evidence.delivered if file.type == name and file.dead_letter is None]
    loaded = [file.loaded_rows for file in files]
    steps = [
        (step["statement"].split(None, 1)[0].lower(), max(0, step["rows"]))
        for merge in evidence.history.merges
        for entry in merge.types
        if entry["type"] == name and not entry["error"]
        for step in entry["rows"]
        if step["statement"].strip()
    ]
    verbs = {verb for verb, _ in steps}
    totals = evidence.history.type_totals.get(name)
    return RowCounts(
        sum(file.records for file in files),
        sum(rows or 0 for rows in loaded) if loaded and None not in loaded else None,
        sum(rows for verb, rows in steps if verb == "delete") if "delete" in verbs else None,
        sum(rows for verb, rows in steps if verb in PUTS) if verbs & set(PUTS) else None,
        totals["final_rows"] if totals else None,
    )


def _lost(evidence: Evidence) -> Iterator[Suspect]:
    lost = [
        file for file in evidence.delivered if file.accounted and file.accounted.missing and file.dead_letter is None
    ]
    where = WHERE_LOST | (WHERE_LOST_IN_BATCHES if evidence.facts.design == "batch" else {})
    for stage, number in Counter(file.last_stage for file in lost).most_common():
        mine = [file for file in lost if file.last_stage == stage]
        if stage == "merged" and (suspect := _lost_on_the_way(evidence, mine)):
            yield suspect
            continue
        if evidence.history.drained is False and stage in STILL_ON_THE_WAY:
            yield _stuck(evidence, stage, mine)
            continue
        station, words = where[stage]
        verb = "was" if number == 1 else "were"
        yield Suspect(
            station,
            f"{several(number, 'file')} lost records and {verb} last seen “{stage}”: {words}"
            f"{_because(evidence, mine)}.",
        )


def _stuck(evidence: Evidence, stage: str, files: Sequence[FileHistory]) -> Suspect:
    """Files that somebody would still have come to: the station after the one they had reached was too slow."""
    station, words = STILL_ON_THE_WAY[stage]
    verb = "was" if len(files) == 1 else "were"
    took_s = [one["end_s"] - one["start_s"] for one in evidence.history.invocations]
    pace = f" (an invocation took {seconds(median(took_s))})" if took_s and station == "handler" else ""
    return Suspect(
        station,
        f"{several(len(files), 'file')} {verb} still {words} when the time to drain was over, so their records are not "
        f"in the final table{pace}{_because(evidence, files)}.",
    )


def _because(evidence: Evidence, files: Sequence[FileHistory]) -> str:
    """What the handler said of files that it never took."""
    said = Counter(_short(evidence.history.reasons[one.key]) for one in files if one.key in evidence.history.reasons)
    return f"; the handler said: {_quoted(said)}" if said else ""


def _quoted(said: Counter[str]) -> str:
    return "; ".join(f"“{text}” ({number:,}×)" for text, number in said.most_common(REASONS_MAX))


def _lost_on_the_way(evidence: Evidence, lost: Sequence[FileHistory]) -> Suspect | None:
    """Of files that a merge run committed with: the first station that passed on fewer rows than it got."""
    named = f"{several(len(lost), 'file')} lost records"
    short = [file for file in lost if file.loaded_rows is not None and file.loaded_rows < file.records]
    if short:
        one = short[0]
        return Suspect(
            "handler",
            f"{named}: the handler says itself that it loaded fewer rows than were delivered, such as "
            f"{one.loaded_rows:,} of {one.records:,} of {one_line(one.key)}.",
        )
    for name in dict.fromkeys(file.type for file in lost):
        counts, mine = row_counts(evidence, name), [file for file in lost if file.type == name]
        if any(sum(attempt.succeeded for attempt in file.attempts) > 1 for file in evidence.files if file.type == name):
            return None  # rows that were staged twice hide those that were not
        if counts.taken is not None and counts.taken < counts.delivered:
            return Suspect(
                "handler",
                f"{named}: of {counts.delivered:,} {one_line(name)} rows only {counts.taken:,} were in the stage table "
                "when it was merged, so they were lost before the merge: the handler's load.",
            )
        superseded = sum(file.accounted.superseded for file in evidence.delivered if file.accounted)
        if counts.put is not None and counts.put + superseded < counts.delivered:
            return Suspect(
                "merge",
                f"{named}: all {counts.delivered:,} {one_line(name)} rows were staged, and the merge carried "
                f"{counts.put:,} of them into the final table: the merge's SQL.",
            )
        if counts.put is not None and counts.final is not None and counts.final < counts.put:
            return Suspect(
                "final",
                f"{several(len(mine), 'file')} lost records: the merges put {counts.put:,} {one_line(name)} rows into "
                f"the final table, which now holds {counts.final:,}: something deleted them after the merge.",
            )
    return None


def _doubled(evidence: Evidence) -> Iterator[Suspect]:
    doubled = [file for file in evidence.files if file.accounted and file.accounted.duplicated]
    if not doubled:
        return
    twice = sum(sum(attempt.succeeded for attempt in file.attempts) > 1 for file in doubled)
    more = [file for file in doubled if file.loaded_rows is not None and file.loaded_rows > file.records]
    if more:
        yield Suspect("handler", f"{several(len(more), 'file')} had more rows loaded by the handler than delivered.")
    elif twice:
        yield Suspect(
            "merge",
            f"{twice:,} of {several(len(doubled), 'file')} with doubled records came to the function more than once, "
            "which queues do now and then; the merge put their rows into the final table again: it does not look "
            "whether a key is there.",
        )
    else:
        yield Suspect(
            "merge",
            f"{several(len(doubled), 'file')} with doubled records came to the function once only: the handler's load "
            "or the merge inserts rows again.",
        )


def _altered(evidence: Evidence) -> Iterator[Suspect]:
    altered = [file for file in evidence.files if file.accounted and file.accounted.altered]
    if not altered:
        return
    types = listed(sorted({one_line(file.type) for file in altered}))
    share = "every record" if all(_all_altered(file) for file in altered) else "some records"
    yield Suspect(
        "handler",
        f"{share.capitalize()} of {several(len(altered), 'file')} ({types}) differ from what was delivered: the "
        "handler's reading, or the merge's SQL; compare a row with its file.",
    )


def _all_altered(file: FileHistory) -> bool:
    return file.accounted is not None and file.accounted.altered == file.accounted.expected


def _unexpected(evidence: Evidence) -> Iterator[Suspect]:
    for name, totals in evidence.history.type_totals.items():
        if totals["unexpected"]:
            yield Suspect(
                "final",
                f"The final table of {one_line(name)} holds {totals['unexpected']:,} rows that nobody delivered in "
                f"this run, such as from {one_line(str(totals['unexpected_from']))}.",
            )


def _no_connections(evidence: Evidence) -> Iterator[Suspect]:
    """A warehouse that takes no more connections refuses the merge job, too, which is not at fault for it."""
    history = evidence.history
    said = [*history.reasons.values(), *(str(event["reason"]) for event in history.dead_letters)]
    if not any(NO_CONNECTION.search(one) for one in said):
        return
    _, at_once = at_once_of((event["start_s"], event["end_s"]) for event in history.invocations)
    yield Suspect(
        "handler",
        "The warehouse refused connections, for as many were open as it takes, while at most "
        f"{several(int(max(at_once, default=0)), 'invocation')} ran at once: a handler that opens a connection for "
        "each file and does not close it uses them up, or the functions may be more at once than the warehouse takes.",
    )


def _merges_starved(evidence: Evidence) -> bool:
    """Whether the functions used up the connections, and merge runs failed for want of one alone."""
    errors = [error for merge in evidence.history.merges for error in merge.errors]
    starved = bool(errors) and all(NO_CONNECTION.search(error) for error in errors)
    return starved and any(True for _ in _no_connections(evidence))


def _merge_errors(evidence: Evidence) -> Iterator[Suspect]:
    failed = [merge for merge in evidence.history.merges if merge.errors]
    if failed:
        runs = evidence.history.merges
        yield Suspect(
            "merge",
            f"{len(failed):,} of {several(len(runs), 'merge run')} failed and rolled back: "
            f"{_short(failed[-1].errors[0])}.",
        )


def _dead_letters(evidence: Evidence) -> Iterator[Suspect]:
    """Only those that were not made to be refused."""
    found = [
        event
        for event in evidence.history.dead_letters
        if not event["keys"] or any(not _is_reject(evidence, key) for key in event["keys"])
    ]
    if not found:
        return
    reasons = Counter(_short(str(event["reason"])) for event in found)
    types = Counter(event["type"] for event in found)
    named = listed([f"{number:,} of {one_line(name)}" for name, number in types.most_common()])
    yield Suspect(
        "handler",
        f"{several(len(found), 'message')} came back until the queue gave them up ({named}), because the handler "
        f"failed each time: {_quoted(reasons)}.",
    )


def _not_refused(evidence: Evidence) -> Iterator[Suspect]:
    taken = [file for file in evidence.delivered if file.is_reject and file.dead_letter is None and file.success]
    if taken:
        yield Suspect(
            "handler",
            f"The function answered that all was well for {several(len(taken), 'file')} that it had to refuse, such as "
            f"{one_line(taken[0].key)}: the handler hides its errors, so nobody would ever hear of them.",
        )


def _is_reject(evidence: Evidence, key: str) -> bool:
    file = evidence.history.files.get(key)
    return file is not None and file.is_reject


def _short(text: str) -> str:
    line = one_line(legible(text))
    return line if len(line) <= REASON_LETTERS_MAX else line[: REASON_LETTERS_MAX - 1] + "…"
