"""What this project's CI asks of its pipeline."""

import gzip
import json


def test_one_basket_arrives(nrt_pipeline):
    basket = {"basket_id": 1, "customer": "Łucja", "items": 3, "gift": None, "updated_at": "2026-01-01 10:00:00"}
    nrt_pipeline.deliver("baskets", "one.jsonl.gz", gzip.compress(json.dumps(basket).encode()))
    nrt_pipeline.wait_until_handled()
    nrt_pipeline.merge()
    assert nrt_pipeline.query("SELECT basket_id, customer, items, gift FROM public.baskets") == [(1, "Łucja", 3, None)]


def test_a_broken_file_is_dead_lettered_and_nothing_else(run_scenario):
    assert run_scenario("poison", rate="120/min", duration="6s", records=100).verdict.passed


def test_the_sla_holds_at_the_everyday_rate(run_scenario):
    run = run_scenario("steady", rate="100/min", duration="6s")
    assert run.verdict.passed
    assert run.json["latency_s"]["end_to_end"]["max"] < run.json["sla"]["limit_s"] / 2
