"""The counts of a chain of requests, in trace headers."""

import re

import pytest

from harness.localstack import lineage

ARN = "arn:aws:lambda:us-east-1:000000000000:function:loop"
OTHER = f"{ARN}-2"


def test_a_chain_is_counted_from_header_to_header() -> None:
    counts: lineage.Counts = {}
    for _ in range(16):
        header = f"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage={lineage.write(counts)}"
        counts = lineage.with_one_more(lineage.of_headers([header]), ARN)
    assert counts == {lineage.key(ARN): 15}


def test_it_is_written_as_headers_from_aws_show_it() -> None:
    assert re.fullmatch("1:[0-9a-f]{8}:0", lineage.write(lineage.with_one_more({}, ARN)))
    logged = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2"
    assert lineage.of_headers([logged]) == {"a87bd80c": 1, "68fd508a": 5, "c512fbe3": 2}


def test_of_several_chains_the_longest_counts_for_each_function() -> None:
    first = lineage.write({lineage.key(ARN): 3, lineage.key(OTHER): 1})
    second = lineage.write({lineage.key(ARN): 2, lineage.key(OTHER): 5})
    headers = [f"Lineage={first}", None, f"Root=1;Lineage={second};Self=2"]
    assert lineage.of_headers(headers) == {lineage.key(ARN): 3, lineage.key(OTHER): 5}


@pytest.mark.parametrize(
    "header", [None, "", "Root=1;Sampled=1", "Lineage=", "Lineage=1:", "Lineage=1:x:y", "NoLineage=1:00000000:4"]
)
def test_what_is_no_lineage_counts_nothing(header: str | None) -> None:
    assert lineage.of_headers([header]) == {}


def test_a_header_does_not_grow_with_the_chain() -> None:
    counts: lineage.Counts = {}
    for number in range(100):
        counts = lineage.read(lineage.write(lineage.with_one_more(counts, f"{ARN}-{number}")))
    assert len(counts) == lineage.FUNCTIONS_MAX
