#!/usr/bin/env python3
"""Export the machine's Debian package index as files to replay.

In: what `apt-cache dumpavail` prints, or /var/lib/apt/lists/*_Packages where there is no apt-cache, and in any case
/var/lib/dpkg/status, which has the long descriptions of what is installed. Out: packages/packages-00001.jsonl.gz and so
on below OUT_DIR, or csv.gz. One record for each package, version and architecture; the same index gives the same files.
"""

import argparse
import csv
import gzip
import io
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

APT_LISTS = Path("/var/lib/apt/lists")
DPKG_STATUS = Path("/var/lib/dpkg/status")
RECORDS_PER_FILE = 5_000

Paragraph = dict[str, str]
Record = dict[str, str | int | bool | None]


def paragraphs(lines: Iterable[str]) -> Iterator[Paragraph]:
    """The paragraphs of a Debian control file; a field that goes on keeps its line breaks and leading blanks."""
    fields: Paragraph = {}
    name = ""
    for line in itertools.chain((line.rstrip("\n") for line in lines), [""]):
        if not line:
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            fields[name] += f"\n{line}"
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()


def index_lines() -> Iterator[str]:
    """The lines of the package index, whatever form the machine has it in."""
    if shutil.which("apt-cache"):
        printed = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=False)
        if printed.returncode == 0 and printed.stdout:
            yield from printed.stdout.decode().split("\n")
            return
    for path in sorted(APT_LISTS.glob("*_Packages")):
        yield from path.read_text(encoding="utf-8").split("\n")
        yield ""


def record_of(fields: Paragraph) -> Record:
    """A paragraph as a record with the columns of pipeline.toml."""
    return {
        "package": fields["Package"],
        "version": fields["Version"],
        "architecture": fields["Architecture"],
        "source": fields.get("Source"),
        "section": fields.get("Section"),
        "priority": fields.get("Priority"),
        "essential": fields.get("Essential") == "yes",
        "maintainer": fields.get("Maintainer"),
        "homepage": fields.get("Homepage"),
        "installed_size_kb": _number(fields.get("Installed-Size")),
        "size_bytes": _number(fields.get("Size")),
        "depends": fields.get("Depends"),
        "description": fields.get("Description"),
        "tags": fields.get("Tag"),
        "filename": fields.get("Filename"),
        "sha256": fields.get("SHA256"),
    }


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def records() -> list[Record]:
    """Every package, version and architecture once; what is installed brings its long description."""
    found: dict[tuple[str, str, str], Record] = {}
    for fields in paragraphs(index_lines()):
        if {"Package", "Version", "Architecture"} <= fields.keys():
            found.setdefault((fields["Package"], fields["Version"], fields["Architecture"]), record_of(fields))
    if DPKG_STATUS.is_file():
        with DPKG_STATUS.open(encoding="utf-8") as status:
            for fields in paragraphs(status):
                if {"Package", "Version", "Architecture"} <= fields.keys():
                    key = (fields["Package"], fields["Version"], fields["Architecture"])
                    record = found.setdefault(key, record_of(fields))
                    record["description"] = fields.get("Description", record["description"])
    return list(found.values())


def json_lines(batch: list[Record]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in batch).encode()


def csv_text(batch: list[Record]) -> bytes:
    """RFC 4180: text in quotes, NULL as an empty field without quotes."""
    lines = [",".join(batch[0]), *(",".join(map(_csv_field, record.values())) for record in batch)]
    return ("\n".join(lines) + "\n").encode()


def _csv_field(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return "" if value is None else str(value)
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow([value])
    return written.getvalue()


def export(directory: Path, file_format: str, records_per_file: int) -> list[Path]:
    """Write the files; their paths.

    Raises:
        LookupError: the machine has no package index.
    """
    everything = records()
    if not everything:
        raise LookupError(
            f"no Debian package index here: apt-cache printed none, and there is neither {APT_LISTS}/*_Packages nor "
            f"{DPKG_STATUS}"
        )
    encode = {"jsonl.gz": json_lines, "csv.gz": csv_text}[file_format]
    folder = directory / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, first in enumerate(range(0, len(everything), records_per_file), start=1):
        path = folder / f"packages-{number:05}.{file_format}"
        path.write_bytes(gzip.compress(encode(everything[first : first + records_per_file]), compresslevel=6, mtime=0))
        written.append(path)
    print(f"{len(everything)} packages in {len(written)} files below {folder}", file=sys.stderr)
    return written


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Export the machine's Debian package index as files to replay.")
    parser.add_argument("directory", type=Path, metavar="OUT_DIR")
    parser.add_argument("--format", choices=("jsonl.gz", "csv.gz"), default="jsonl.gz", help="as in pipeline.toml")
    parser.add_argument("--records", type=int, default=RECORDS_PER_FILE, help="records per file")
    options = parser.parse_args(arguments)
    if options.records < 1:
        parser.error("--records must be at least 1")
    try:
        export(options.directory, options.format, options.records)
    except LookupError as error:
        print(f"export.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
