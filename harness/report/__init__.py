"""The report of a run: what people and CI read.

In: a run's directory and its judgement. Out: `report.html`, `junit.xml`, Markdown for a job summary, or the verdict as
JSON. It reads nothing but these two, and judges nothing itself.
"""

import json

from harness.errors import UsageError
from harness.report import html, junit, markdown
from harness.run_directory import RunDirectory
from harness.verdict import Judgement

FORMATS = ("html", "markdown", "json", "junit")

__all__ = ["FORMATS", "render", "write"]


def render(directory: RunDirectory, judgement: Judgement, report_format: str) -> str:
    """The report in one of `FORMATS`.

    Raises:
        UsageError: there is no such format.
    """
    match report_format:
        case "html":
            return html.page(judgement, directory.path.resolve().name)
        case "markdown":
            return markdown.summary(judgement, directory.path.resolve().name)
        case "json":
            return json.dumps(judgement.to_json(), indent=2) + "\n"
        case "junit":
            return junit.document(judgement)
    raise UsageError(f"report format {report_format!r} is not one of {', '.join(FORMATS)}")


def write(directory: RunDirectory, judgement: Judgement) -> None:
    """Write `report.html` into the run's directory."""
    directory.report.write_text(render(directory, judgement, "html"), encoding="utf-8")
