"""The Redshift Data API, and temporary credentials, over HTTP: what boto3 asks of Redshift without a driver."""
