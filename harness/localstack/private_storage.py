"""LocalStack keeps S3 objects below its own temporary directory.

It keeps them at one fixed path for every instance on the machine (`DEFAULT_S3_TMP_DIR` in
`localstack/services/s3/provider.py`, 4.13.1): instances of different users fail there, and what is left is left for
good.
"""

import tempfile
from pathlib import Path

from localstack.services.s3 import provider


def keep_objects_private() -> None:
    """Have object data go below TMPDIR; call it before S3 is loaded."""
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "localstack-s3-storage")
