"""COPY from S3 and UNLOAD to it, as Redshift does them."""
