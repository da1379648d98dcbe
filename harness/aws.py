"""boto3 clients for a stack, made once and with settings that fit a pipeline under load."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.stack.endpoints import EMULATOR_ACCESS_KEY, Endpoints

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

USER_AGENT = "nrt-harness"


@dataclass(frozen=True)
class Aws:
    """Clients that talk to one stack; each is made when it is first used."""

    endpoints: Endpoints

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        options: dict[str, Any] = {}
        # On AWS it is the caller's own credentials, and what AWS_ENDPOINT_URL and its likes say, if they do.
        if self.endpoints.on_aws is None:
            options = {
                "endpoint_url": self.endpoints.aws_endpoint_url,
                "aws_access_key_id": EMULATOR_ACCESS_KEY,
                "aws_secret_access_key": EMULATOR_ACCESS_KEY,
            }
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.endpoints.region,
            config=Config(
                retries={"mode": "standard", "max_attempts": 3},
                s3={"addressing_style": "path"} if self.endpoints.aws_endpoint_url else {},
                # by which the emulator's faults leave the harness itself alone
                user_agent_extra=USER_AGENT,
            ),
            **options,
        )

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client: SQSClient = self._client("sqs")
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @cached_property
    def redshift_data(self) -> Any:
        """The Redshift Data API; its types are not installed."""
        return self._client("redshift-data")

    @cached_property
    def functions(self) -> "LambdaClient":
        client: LambdaClient = self._client("lambda")
        return client
