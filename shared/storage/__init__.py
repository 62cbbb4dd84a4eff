"""Files that services keep: sealed, behind one small interface, on a disk or in S3.

`open_files(url, vault)` opens the store of `LENDERY_STORAGE_URL`: `file:///var/lib/lendery/files`, or
`s3://bucket/prefix?endpoint=https://…&region=…` with the credentials where boto3 looks for them.
"""

from shared.storage.base import FileMissing, FileStore, StoreUnavailable
from shared.storage.sealed import SealedFiles, open_files, open_store

__all__ = ["FileMissing", "FileStore", "SealedFiles", "StoreUnavailable", "open_files", "open_store"]
