"""The object store without AWS credentials: an emulator takes any, AWS takes none."""

import pytest

from harness.redshift.copy.objects import ObjectReference, ObjectStore
from harness.redshift.messages import Refusal
from harness.redshift.warm import warm_up


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_gateway_without_credentials_warms_up() -> None:
    warm_up(ObjectStore(None))
    warm_up(ObjectStore("http://127.0.0.1:1"))


def test_an_emulator_is_asked_with_any_key() -> None:
    url = ObjectStore("http://127.0.0.1:1").client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    assert url.startswith("http://127.0.0.1:1/b/k?")
    assert "AWSAccessKeyId=test" in url or "X-Amz-Credential=test" in url


def test_aws_without_credentials_refuses_the_copy() -> None:
    with pytest.raises(Refusal, match="Unable to locate credentials"):
        ObjectStore(None).read(ObjectReference("b", "k"), 1)
