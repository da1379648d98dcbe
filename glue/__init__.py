"""The design that the pipeline replaced: a Glue job that loads, every half hour, what has arrived since its last run.

This is what ships to AWS Glue, as `handler/` ships to Lambda: `glue/job.py` is the script, the rest its library
(`--extra-py-files`). It uses Spark's plain API, boto3 and redshift_connector, and imports nothing else of the project.
"""
