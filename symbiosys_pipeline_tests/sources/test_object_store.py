"""A client's folder: everything readable is found, nothing odd in it stops the rest, nothing is changed."""

import os
from pathlib import Path

import pytest

from symbiosys_pipeline.errors import SourceError
from symbiosys_pipeline.sources.object_store import UNREADABLE, ObjectStoreSource

ODD_BUT_READABLE = [
    "with space.csv",
    "quo\"te's.csv",
    "ünïcode.csv",
    "per%20cent.csv",
    "[red]x.csv",
    "star*.csv",
    "{YYYY}.csv",
    ".hidden.csv.part",
    "$(touch x).csv",
]


def source(folder: Path) -> ObjectStoreSource:
    return ObjectStoreSource.at(str(folder), home=folder)


def listed(folder: Path, prefix: str = "") -> dict[str, str]:
    return {item.key: item.generation for page in source(folder).list(prefix) for item in page}


def read(folder: Path, key: str, generation: str) -> bytes:
    with source(folder).read(key, generation) as blocks:
        return b"".join(blocks)


@pytest.mark.parametrize("name", ODD_BUT_READABLE)
def test_odd_names_are_listed_and_read_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(name.encode())
    (generation,) = listed(tmp_path).values()
    assert listed(tmp_path) == {name: generation}
    assert read(tmp_path, name, generation) == name.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"line\nbreak.csv", r"line\nbreak.csv"),
        (b"tab\t.csv", r"tab\t.csv"),
        (b"\x1b[31mred.csv", r"\x1b[31mred.csv"),
        (b"caf\xe9.csv", r"caf\xe9.csv"),
    ],
    ids=["newline", "tab", "escape", "latin-1"],
)
def test_a_name_that_is_no_objects_hides_no_other(tmp_path: Path, name: bytes, shown: str) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "good.csv").write_bytes(b"good")
    with open(os.path.join(os.fsencode(tmp_path / "v"), name), "wb"):  # noqa: PTH118, PTH123 - a name in bytes
        pass
    found = listed(tmp_path, "v/")
    assert found[f"v/{shown}"] == UNREADABLE
    assert set(found) == {f"v/{shown}", "v/good.csv"}
    assert read(tmp_path, "v/good.csv", found["v/good.csv"]) == b"good"


def test_generations_are_the_same_whether_or_not_an_odd_name_is_there(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_bytes(b"good")
    before = listed(tmp_path)["good.csv"]
    (tmp_path / "odd\n.csv").touch()
    assert listed(tmp_path)["good.csv"] == before


def test_folders_links_and_pipes_among_the_files(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(b"real")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "circle").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    found = listed(tmp_path)
    assert set(found) == {"real.csv", "link.csv"}
    assert read(tmp_path, "link.csv", found["link.csv"]) == b"real"


def test_a_grown_file_is_another_generation(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    first = listed(tmp_path)["a.csv"]
    file.write_bytes(b"one two")
    assert listed(tmp_path)["a.csv"] != first
    with pytest.raises(SourceError, match="changed while it was read; nothing was taken"):
        read(tmp_path, "a.csv", first)


def test_a_file_that_is_gone_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    generation = listed(tmp_path)["a.csv"]
    (tmp_path / "a.csv").unlink()
    with pytest.raises(SourceError, match=r"a\.csv: gone since it was listed"):
        read(tmp_path, "a.csv", generation)


@pytest.mark.parametrize(
    ("location", "message"), [("absent", "no such folder"), ("s3://bucket/x", "buckets are not set up")]
)
def test_a_location_that_is_not_there(tmp_path: Path, location: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        ObjectStoreSource.at(location, home=tmp_path)
