"""Files on a disk and in S3: the same promises, sealed."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.crypto import Undecryptable, Vault, open_vault
from shared.storage import FileMissing, FileStore, SealedFiles, StoreUnavailable, open_store

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(params=["disk", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FileStore]:
    if request.param == "disk":
        yield open_store((tmp_path / "files").as_uri())
        return
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        import boto3

        await asyncio.to_thread(boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket, Bucket="kyc")
        yield open_store(f"s3://kyc/some/prefix?endpoint={endpoint}&region=us-east-1")
    finally:
        server.stop()


async def test_a_file_is_kept_replaced_and_forgotten(store: FileStore) -> None:
    with pytest.raises(FileMissing):
        await store.get("kyc/1/a")
    content = secrets.token_bytes(300_000)
    await store.put("kyc/1/a", content)
    await store.put("kyc/1/b", b"other")
    assert await store.get("kyc/1/a") == content
    await store.put("kyc/1/a", b"")
    assert await store.get("kyc/1/a") == b""
    await store.delete("kyc/1/a")
    await store.delete("kyc/1/a")
    with pytest.raises(FileMissing):
        await store.get("kyc/1/a")
    assert await store.get("kyc/1/b") == b"other"


async def test_files_are_sealed_for_their_own_name_and_sealed_anew(store: FileStore) -> None:
    old, new = {"old": bytes(32)}, {"new": bytes(range(32))}
    files = SealedFiles(store, Vault(old, "old"))
    await files.put("kyc/1/a", b"passport")
    sealed = await store.get("kyc/1/a")
    assert b"passport" not in sealed
    await store.put("kyc/1/b", sealed)
    with pytest.raises(Undecryptable):
        await files.get("kyc/1/b")
    rotated = SealedFiles(store, Vault(new | old, "new"))
    assert await rotated.reseal("kyc/1/a")
    assert not await rotated.reseal("kyc/1/a")
    assert await SealedFiles(store, Vault(new, "new")).get("kyc/1/a") == b"passport"


@pytest.mark.parametrize("key", ["", "../etc/passwd", "/etc/passwd", "a//b", "a/../b", "A", "a.tmp", "a/" * 7 + "a", "a" * 201])
async def test_only_our_own_names_are_names(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await open_store(tmp_path.as_uri()).put(key, b"")


def files_in(directory: Path) -> dict[str, int]:
    return {str(path.relative_to(directory)): path.stat().st_mode for path in directory.rglob("*") if path.is_file()}


async def test_a_disk_keeps_no_half_files_and_shows_them_to_nobody(tmp_path: Path) -> None:
    files = SealedFiles(open_store(tmp_path.as_uri()), open_vault(None, production=False))
    await files.put("kyc/1/a", b"passport")
    assert {name: mode & 0o077 for name, mode in files_in(tmp_path).items()} == {"kyc/1/a": 0}
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    for broken in (files.put("blocked/a", b""), files.get("blocked/a"), files.delete("blocked/a")):
        with pytest.raises(StoreUnavailable) as raised:
            await broken
        assert raised.value.headers["Retry-After"]
        assert str(tmp_path) not in raised.value.detail


@pytest.mark.parametrize("url", ["", "files", "file://host/files", "file:files", "s3:///key", "ftp://x/y"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="LENDERY_STORAGE_URL"):
        open_store(url)
