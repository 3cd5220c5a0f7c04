"""One contract for every blob store: local files, and object storage (moto's S3 through obstore)."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.blobs import open_store
from service.config import S3Settings
from tanba.errors import StorageError, UsageError


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    pytest.importorskip("moto.server", reason="moto is a test dependency")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def s3_settings(endpoint: str) -> S3Settings:
    return S3Settings(endpoint=endpoint, access_key_id="test", secret_access_key=SecretStr("test"), allow_http=True)


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path: Path):
    if request.param == "file":
        return open_store((tmp_path / "blobs").as_uri(), S3Settings())
    import boto3

    endpoint = request.getfixturevalue("s3_endpoint")
    bucket = f"b{secrets.token_hex(6)}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket=bucket)
    return open_store(f"s3://{bucket}/some/prefix", s3_settings(endpoint))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("data", [b"", b"x", bytes(700_000)], ids=["empty", "small", "several chunks"])
def test_what_is_put_comes_back_whole_and_in_chunks(store, tmp_path, data):
    store.put(digest(data), data)
    assert store.get(digest(data)) == data
    assert b"".join(store.stream(digest(data))) == data


def test_a_file_is_put_and_stays_where_it_was(store, tmp_path):
    path = tmp_path / "upload.part"
    path.write_bytes(b"labelled")
    store.put_file(digest(b"labelled"), path)
    assert path.read_bytes() == b"labelled"
    path.unlink()
    assert store.get(digest(b"labelled")) == b"labelled"


def test_the_first_writer_wins_and_a_second_is_no_error(store):
    key = digest(b"one")
    store.put(key, b"one")
    store.put(key, b"two")
    assert store.get(key) == b"one"


def test_many_writers_at_once_leave_one_whole_object(store):
    data = secrets.token_bytes(300_000)
    writers = [threading.Thread(target=store.put, args=(digest(data), data)) for _ in range(6)]
    for item in writers:
        item.start()
    for item in writers:
        item.join()
    assert store.get(digest(data)) == data


def test_what_is_not_there_is_none_and_can_be_deleted(store):
    key = digest(b"nothing")
    assert store.get(key) is None
    assert store.stream(key) is None
    store.delete(key)
    store.put(key, b"nothing")
    store.delete(key)
    assert store.get(key) is None
    store.check()


def test_a_store_that_is_gone_is_a_storage_error():
    gone = open_store("s3://bucket/x", s3_settings("http://127.0.0.1:9"))
    with pytest.raises(StorageError):
        gone.put("0" * 64, b"x")
    with pytest.raises(StorageError):
        gone.check()


def test_an_unknown_kind_of_store_is_refused_in_words():
    with pytest.raises(UsageError, match="not supported"):
        open_store("ftp://x/y", S3Settings())


def test_a_digest_that_is_none_never_becomes_a_path(tmp_path):
    store = open_store(tmp_path.as_uri(), S3Settings())
    for wrong in ("../../etc/passwd", "", "x" * 63, "/" * 64):
        with pytest.raises(ValueError, match="SHA-256"):
            store.get(wrong)


def test_several_are_put_at_once_whether_bytes_or_files_new_or_known(store, tmp_path):
    contents = [bytes([number]) * 1000 for number in range(20)]
    path = tmp_path / "labelled"
    path.write_bytes(contents[0])
    store.put(digest(contents[3]), contents[3])
    store.put_all([(digest(contents[0]), path), *((digest(data), data) for data in contents[1:])])
    assert [store.get(digest(data)) for data in contents] == contents
    store.put_all([])


def test_what_is_kept_for_a_while_comes_back_under_the_name_that_was_given(store, tmp_path):
    now = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
    path = tmp_path / "labelled"
    path.write_bytes(b"large")
    items: list[tuple[str, bytes | Path]] = [(digest(b"one"), b"one"), (digest(b"large"), path), (digest(b"2"), b"2")]
    names = [name or key for name, (key, _) in zip(store.keep(items, now), items, strict=True)]
    assert [b"".join(store.stream(name)) for name in names] == [b"one", b"large", b"2"]
    store.sweep(now)
    assert [b"".join(store.stream(name)) for name in names] == [b"one", b"large", b"2"]
    store.sweep(now + timedelta(hours=1))
    for name in reversed(names):
        store.delete(name)
    assert [store.stream(name) for name in names] == [None, None, None]
    assert store.keep([], now) == []


def test_when_one_of_several_cannot_be_put_the_caller_is_told(tmp_path):
    store = open_store((tmp_path / "blobs").as_uri(), S3Settings())
    data = b"something"
    (tmp_path / "blobs" / digest(data)[:2]).write_text("a file where a folder must be")
    with pytest.raises(StorageError):
        store.put_all([(digest(b"else"), b"else"), (digest(data), data)])


def test_names_are_on_disk_too_each_folder_once_for_a_group_and_after_its_files(tmp_path, monkeypatch):
    store = open_store((tmp_path / "blobs").as_uri(), S3Settings())
    contents = {digest(data): data for data in (bytes([number]) for number in range(40))}
    known = next(iter(contents))
    store.put(known, contents[known])
    flushed: list[tuple[int, set[str]]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        there = {path.name for path in (tmp_path / "blobs").glob("??/*")}
        flushed.append((os.fstat(descriptor).st_ino, there))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    store.put_all(list(contents.items()))
    folders = {path.stat().st_ino: path for path in (tmp_path / "blobs", *(tmp_path / "blobs").glob("??"))}
    of_folders = [(folders[inode], there) for inode, there in flushed if inode in folders]
    assert sorted(path for path, _ in of_folders) == sorted(folders.values())
    assert all(there == contents.keys() for _, there in of_folders)
    assert len(flushed) - len(of_folders) == len(contents) - 1


def test_a_folder_that_cannot_be_flushed_is_a_storage_error(tmp_path, monkeypatch):
    store = open_store((tmp_path / "blobs").as_uri(), S3Settings())
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "I/O error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError):
        store.put(digest(b"x"), b"x")
    with pytest.raises(StorageError):
        store.put_all([(digest(b"y"), b"y")])
