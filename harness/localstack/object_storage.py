"""Where LocalStack keeps S3 objects, and in what pieces it reads them (`localstack/services/s3`, 4.13.1).

It keeps them at one fixed path for every instance on the machine (`DEFAULT_S3_TMP_DIR`): instances of different users
fail there, and what is left is left for good. It sends an object in pieces of 64 KiB, each of which goes from a worker
thread to the reactor and back before the next is read.
"""

import tempfile
from pathlib import Path

from localstack.services.s3 import provider
from localstack.services.s3.storage import ephemeral

PIECE_BYTES = 1024 * 1024


def keep_objects_private() -> None:
    """Have object data go below TMPDIR; call it before S3 is loaded."""
    provider.DEFAULT_S3_TMP_DIR = str(Path(tempfile.gettempdir()) / "localstack-s3-storage")


def read_in_large_pieces() -> None:
    """Have objects read and sent in pieces of a mebibyte."""
    ephemeral.S3_CHUNK_SIZE = PIECE_BYTES
