"""Files in S3 or in what speaks like it: boto3, one call a file, in threads. boto3 is imported when a store is opened."""

import asyncio
from typing import Any

from shared.storage.base import FileMissing, checked, unavailable

_MISSING = frozenset({"NoSuchKey", "404"})


class S3Store:
    """One object a key, below `prefix`. Credentials come from where boto3 looks for them: environment, file, role."""

    def __init__(self, bucket: str, prefix: str = "", *, endpoint: str | None = None, region: str | None = None) -> None:
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})
        self._client: Any = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=config)
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    async def put(self, key: str, content: bytes) -> None:
        """Store the object; S3 answers once it is durable."""
        await self._call("put_object", Key=self._key(key), Body=content, ContentType="application/octet-stream")

    async def get(self, key: str) -> bytes:
        """The content. Raises `FileMissing`, `StoreUnavailable`."""
        content: bytes = await self._call("get_object", Key=self._key(key), read=True)
        return content

    async def delete(self, key: str) -> None:
        """Delete the object."""
        await self._call("delete_object", Key=self._key(key))

    def _key(self, key: str) -> str:
        return self._prefix + checked(key)

    async def _call(self, name: str, *, read: bool = False, **arguments: Any) -> Any:
        return await asyncio.to_thread(self._call_here, name, read, arguments)

    def _call_here(self, name: str, read: bool, arguments: dict[str, Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = getattr(self._client, name)(Bucket=self._bucket, **arguments)
            return answer["Body"].read() if read else answer
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise FileMissing(arguments["Key"]) from None
            raise unavailable(error) from error
        except BotoCoreError as error:
            raise unavailable(error) from error
