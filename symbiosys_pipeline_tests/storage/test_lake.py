"""The lake: a name's content is replaced whole or not at all, and no name leads outside."""

import os
import time
from pathlib import Path

import pytest

from symbiosys_pipeline.errors import ConfigurationError, LakeError
from symbiosys_pipeline.storage.lake import Lake, file_sha256

#: SHA-256 of "abc", FIPS 180-4's first example.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_publishing_replaces_the_whole_content_and_leaves_nothing_else(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.publish_bytes(b"a long first version", "events/x/data")
    lake.publish_bytes(b"short", "events/x/data")
    assert files(tmp_path) == {"events/x/data": b"short"}


def test_who_has_a_file_open_keeps_the_version_that_was_opened(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.publish_bytes(b"old", "a/b")
    with lake.open("a/b") as reader:
        lake.publish_bytes(b"new", "a/b")
        assert reader.read() == b"old"
    assert lake.read_bytes("a/b") == b"new"


def test_a_failed_write_leaves_the_old_version_and_no_scratch(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.publish_bytes(b"old", "a/b")
    with pytest.raises(RuntimeError, match="disk full"), lake.scratch() as scratch:
        (scratch / "half").write_bytes(b"ne")
        raise RuntimeError("disk full")
    assert files(tmp_path) == {"a/b": b"old"}


@pytest.mark.parametrize("key", ["/etc/passwd", "../outside", "a/../../outside", "a/.."])
def test_names_outside_are_refused(tmp_path: Path, key: str) -> None:
    lake = Lake(tmp_path / "lake")
    local = tmp_path / "local"
    local.write_bytes(b"x")
    for use in (lake.open, lake.exists, lake.uri, lambda name: lake.publish(local, name)):
        with pytest.raises(LakeError, match="expected a relative name"):
            use(key)
    assert files(tmp_path) == {"local": b"x"}


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"events/x is missing from the lake at .*; restore it, or deliver"):
        Lake(tmp_path).read_bytes("events/x")


def test_listing_is_sorted_below_the_folder_and_by_name(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for key in ("a/2/data", "a/1/data", "a/1/other", "b/data"):
        lake.publish_bytes(b"", key)
    assert list(lake.list("a", "data")) == ["a/1/data", "a/2/data"]
    assert list(lake.list("absent")) == []


def test_only_scratch_older_than_a_day_is_abandoned(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.scratch() as running:
        killed = running.parent / "killed"
        killed.mkdir()
        (killed / "half").write_bytes(b"x")
        yesterday = time.time() - 25 * 3600
        os.utime(killed, (yesterday, yesterday))
        assert lake.remove_abandoned_scratch() == 1
        assert running.is_dir()
        assert not killed.exists()


@pytest.mark.parametrize("url", ["s3://bucket/lake", "relative/lake", ""])
def test_a_lake_elsewhere_is_a_mistake_that_names_the_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SYMBIOSYS_LAKE_URL"):
        Lake.at(url)


def test_file_urls_and_folders_are_the_same_lake(tmp_path: Path) -> None:
    assert Lake.at(f"file://{tmp_path}").root == Lake.at(str(tmp_path)).root == tmp_path


def test_the_hash_is_sha_256(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert file_sha256(file) == ABC
