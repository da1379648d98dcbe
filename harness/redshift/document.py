"""docs/redshift.md, made from the contract tests: what the stand-in understands, and which page says so.

In: the folder of the contract tests, read as source. Out: Markdown. A test fails when the file in the repository is not
what this makes. Run it: `python -m harness.redshift.document > docs/redshift.md`.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[2] / "tests" / "contract" / "redshift"
_PREAMBLE = Path(__file__).parent / "redshift.md.in"


@dataclass(frozen=True)
class Shown:
    """One contract test: what it shows, the AWS page it follows, and whether it is expected to fail."""

    area: str
    what: str
    page: str
    gap: str


def contract_tests(folder: Path = TESTS) -> Iterator[Shown]:
    """All contract tests, in file order."""
    for path in sorted(folder.glob("test_*.py")):
        module = ast.parse(path.read_text())
        area = (ast.get_docstring(module) or path.stem).splitlines()[0].rstrip(".")
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield from _shown(node, area)


def _shown(node: ast.FunctionDef, area: str) -> Iterator[Shown]:
    page = gap = ""
    cases: list[tuple[str, str]] = []
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        name = ast.unparse(decorator.func)
        if name in ("source", "pytest.mark.documented"):
            page = str(ast.literal_eval(decorator.args[0]))
        elif name == "pytest.mark.xfail":
            gap = next(str(ast.literal_eval(word.value)) for word in decorator.keywords if word.arg == "reason")
        elif name == "pytest.mark.parametrize" and isinstance(decorator.args[1], ast.List):
            cases = list(_cases(decorator.args[0], decorator.args[1]))
    if cases:
        yield from (Shown(area, expression, case_page, gap) for case_page, expression in cases)
    else:
        yield Shown(area, node.name.removeprefix("test_").replace("_", " "), page, gap)


def _cases(names: ast.expr, values: ast.List) -> Iterator[tuple[str, str]]:
    """Page and expression of each case of a test that is parametrized by them."""
    if not ast.unparse(names).startswith("('page', 'expression', "):
        return
    for value in values.elts:
        assert isinstance(value, ast.Tuple)
        page, expression = (ast.literal_eval(part) for part in value.elts[:2])
        yield page, f"`{expression}`" if expression else "no options"


def document(folder: Path = TESTS) -> str:
    """The whole page."""
    parts = [_PREAMBLE.read_text().rstrip()]
    area = ""
    for shown in contract_tests(folder):
        if shown.area != area:
            area = shown.area
            parts.append(f"\n### {area}\n\n| shown by a test | AWS documentation |\n|---|---|")
        what = shown.what.replace("|", "\\|") + (f" – **not yet**: {shown.gap}" if shown.gap else "")
        parts.append(f"| {what} | {shown.page} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
