"""Temporary credentials and a cluster's endpoint, to AWS's SDKs. Source: Amazon Redshift API Reference"""

from collections.abc import Callable
from typing import Any

import awswrangler as wr
import psycopg2
import pytest
from botocore.exceptions import ClientError

from harness.redshift import Listening

PASSWORD = "Secret-Passw0rd"


@pytest.mark.documented("GetClusterCredentials")
def test_cluster_credentials_open_a_session(clients: Callable[[str], Any], listening: Listening) -> None:
    found = clients("redshift").get_cluster_credentials(DbUser="awsuser", DbName="dev", ClusterIdentifier="c")
    assert found["DbUser"] == "IAM:awsuser"
    connection = psycopg2.connect(
        host="127.0.0.1", port=listening.port, user=found["DbUser"], password=found["DbPassword"], dbname="dev"
    )
    cursor = connection.cursor()
    cursor.execute("select current_user")
    assert cursor.fetchone() == ("awsuser",)
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host="127.0.0.1", port=listening.port, user="IAM:awsuser", password="guessed", dbname="dev")


@pytest.mark.documented("GetClusterCredentials")
def test_cluster_credentials_are_refused_for_what_there_is_not(clients: Callable[[str], Any]) -> None:
    redshift = clients("redshift")
    with pytest.raises(ClientError, match="database 'prod' does not exist here"):
        redshift.get_cluster_credentials(DbUser="awsuser", DbName="prod", ClusterIdentifier="c")
    with pytest.raises(ClientError, match="between 900 and 3600"):
        redshift.get_cluster_credentials(DbUser="awsuser", ClusterIdentifier="c", DurationSeconds=60)
    with pytest.raises(ClientError, match=r"InvalidAction.*DeleteCluster is not served"):
        redshift.delete_cluster(ClusterIdentifier="c")


@pytest.mark.documented("DescribeClusters")
def test_a_client_that_looks_its_cluster_up_finds_the_gateway(
    clients: Callable[[str], Any], listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """awswrangler does: `connect_temp` asks for a password and an empty list of groups, then for the endpoint."""
    (found,) = clients("redshift").describe_clusters(ClusterIdentifier="mine")["Clusters"]
    assert (found["ClusterIdentifier"], found["DBName"], found["ClusterStatus"]) == ("mine", "dev", "available")
    assert found["Endpoint"] == {"Address": "127.0.0.1", "Port": listening.port}
    with pytest.raises(ClientError, match="has no tags"):
        clients("redshift").describe_clusters(TagKeys=["team"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT", str(listening.data_api_url))
    with wr.redshift.connect_temp("mine", "awsuser", db_groups=[], ssl=False) as connection:
        assert wr.redshift.read_sql_query("select 1 as one", connection)["one"].tolist() == [1]


@pytest.mark.documented("GetCredentials")
def test_serverless_credentials_open_a_session(clients: Callable[[str], Any], listening: Listening) -> None:
    found = clients("redshift-serverless").get_credentials(workgroupName="warehouse", dbName="dev")
    psycopg2.connect(
        host="127.0.0.1", port=listening.port, user=found["dbUser"], password=found["dbPassword"], dbname="dev"
    ).close()
