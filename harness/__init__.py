"""Local emulation and load testing for near-real-time S3 → SQS → Lambda → Redshift pipelines."""
