"""The aws stack: a pipeline on AWS itself, made from a CloudFormation template that `pipeline.toml` generates."""
