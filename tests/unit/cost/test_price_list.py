"""The price file is whole and dated; what a user gives wins, and what is no price is refused."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from harness.cost import price_list
from harness.cost.price_list import load
from harness.errors import UsageError

OWN = tomllib.loads((files("harness.cost") / "prices" / "aws.toml").read_text(encoding="utf-8"))
REGIONS = [name for name in OWN if name not in price_list.NOT_REGIONS]


@pytest.mark.parametrize("region", REGIONS)
def test_every_price_has_its_day_and_its_source(region: str) -> None:
    for key, price in load(region).known.items():
        assert price.date >= "2023", key
        assert "https://" in price.source, key


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_prices_a_serverless_pipeline(region: str) -> None:
    wanted = {key for key in load("us-east-1").known if not key.startswith("redshift_node_hour")}
    assert wanted <= set(load(region).known)


def test_europe_is_there() -> None:
    assert {"us-east-1", "eu-west-1", "eu-central-1"} <= set(REGIONS)


def test_a_users_prices_win(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[us-east-1]\nglue_dpu_hour = 0.29\ns3_get = { usd = 1, per = 10, date = 2027-01-02 }\n")
    prices = load("us-east-1", mine)
    assert prices["glue_dpu_hour"].amount_usd(100) == pytest.approx(29)
    assert prices["glue_dpu_hour"].source == str(mine)
    assert (prices["s3_get"].amount_usd(10), prices["s3_get"].date) == (1.0, "2027-01-02")
    assert prices["sqs_requests"] == load("us-east-1")["sqs_requests"]


def test_a_region_of_the_users_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[mars-1]\nlambda_requests = 1\n")
    assert load("mars-1", mine)["lambda_requests"].usd == 1.0
    with pytest.raises(UsageError, match=r"no prices are known for it .known: us-east-1"):
        load("mars-1")


@pytest.mark.parametrize("value", ['"cheap"', "-1", "true", "{ usd = 1, per = 0 }", "{ per = 10 }", "nan", "inf"])
def test_what_is_no_price_is_refused(tmp_path: Path, value: str) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(f"[us-east-1]\nglue_dpu_hour = {value}\n")
    with pytest.raises(UsageError, match=r"us-east-1\.glue_dpu_hour"):
        load("us-east-1", mine)


def test_a_file_that_is_not_there_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--prices .*none.toml"):
        load("us-east-1", tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[")
    with pytest.raises(UsageError, match=r"--prices .*bad.toml"):
        load("us-east-1", tmp_path / "bad.toml")
