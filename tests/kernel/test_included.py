"""Data files that travel: which ones a pattern names, what is refused, and where they lie when the flow runs."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from satflow_ext.errors import ContentRefused, ContentTooLarge, InvalidInclude
from satflow_ext.kernel.included import copy_included_files
from satflow_ext.models import CarriedFile, ExecutorChoice, PackedFlow, Registration
from satflow_ext.registration import register
from satflow_ext.versions import carried_files
from satflow_ext.versions.store_client import StoreClient

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

LIMIT = 10_000
NAMES = ("data/a.csv", "data/b.csv", "data/deep/c.csv", "data/deep/__pycache__/x.pyc", "top.txt", "data/ü b.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A notebook's folder with data, and a file beside it that is not for travelling."""
    for place in NAMES:
        file = tmp_path / "notebooks" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(place)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "notebooks"


@pytest.fixture
def pick(folder: Path, tmp_path: Path):
    directory = tmp_path / "packed"
    directory.mkdir()
    return lambda *patterns, limit=LIMIT: copy_included_files(patterns, folder, directory, limit)


@pytest.mark.parametrize(
    ("patterns", "places"),
    [
        (["data/*.csv"], ["data/a.csv", "data/b.csv"]),
        (["data"], ["data/a.csv", "data/b.csv", "data/deep/c.csv", "data/ü b.txt"]),
        (["data/"], ["data/a.csv", "data/b.csv", "data/deep/c.csv", "data/ü b.txt"]),
        (["**/*.csv"], ["data/a.csv", "data/b.csv", "data/deep/c.csv"]),
        (["top.txt", "./top.txt", "data/d*"], ["data/deep/c.csv", "top.txt"]),
    ],
)
def test_patterns_and_folders(pick, folder, tmp_path, patterns, places):
    files = pick(*patterns)
    assert [file.path for file in files] == places
    for file in files:
        copy = tmp_path / "packed" / "files" / file.digest.removeprefix("sha256:")
        assert (copy.read_text(), file.size) == (file.path, len(file.path.encode()))


@pytest.mark.parametrize("pattern", ["../secret.txt", "data/../../secret.txt", "/etc/passwd", "", "~/x/../.."])
def test_what_leads_out_of_the_folder_is_refused(pick, pattern):
    with pytest.raises(InvalidInclude, match="leads out of the notebook's folder") as refused:
        pick(pattern)
    assert refused.value.field == "include"


@pytest.mark.parametrize("pattern", ["link.txt", "*.txt", "links/secret.txt", "around"])
def test_links_out_of_the_folder_are_refused(pick, folder, pattern):
    (folder / "link.txt").symlink_to("../secret.txt")
    (folder / "links").symlink_to("..")
    (folder / "around").mkdir()
    (folder / "around" / "link").symlink_to(folder.parent / "secret.txt")
    with pytest.raises(InvalidInclude, match="out of the notebook's folder"):
        pick(pattern)


def test_a_link_within_the_folder_travels_as_a_file(pick, folder):
    (folder / "link.csv").symlink_to("data/a.csv")
    assert [file.path for file in pick("*.csv")] == ["link.csv"]


@pytest.mark.parametrize("pattern", ["data/*.parquet", "nothing", "data/deep/__pycache__"])
def test_a_pattern_without_a_match_is_refused(pick, folder, pattern):
    (folder / "data/deep/__pycache__/x.pyc").unlink()
    with pytest.raises(InvalidInclude, match=r"matches no file in .*notebooks\. Check the pattern"):
        pick(pattern)


def test_too_large_is_refused_with_the_numbers(pick, folder):
    (folder / "big.bin").write_bytes(bytes(3 * 1024**2))
    with pytest.raises(ContentTooLarge) as refused:
        pick("*.bin", "*.txt", limit=2 * 1024**2)
    assert refused.value.message == (
        "The included files have 3.0 MiB, more than 2.0 MiB. The largest: big.bin (3.0 MiB), top.txt (0.0 KiB)."
    )


def test_what_is_no_plain_file_is_refused(pick, folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidInclude, match="pipe is not a regular file"):
        pick("pi*")


@pytest.mark.parametrize("place", ["satflow_flow.py", "new\nline.txt", "back\\slash", "no\udcff-utf8"])
def test_names_that_cannot_travel_are_refused(pick, folder, place):
    (folder / place).write_text("x")
    with pytest.raises(InvalidInclude, match="is not a valid name for an included file"):
        pick(place.replace("\\", "?"))


PLACES = ["../x", "/x", "a/../../x", "a//x", "./x", "", "a/", "..", "a\\..\\x", "a\0x", "satflow_manifest.json"]


@pytest.mark.parametrize("place", PLACES)
def test_no_manifest_can_name_such_a_place(place):
    with pytest.raises(ValidationError):
        CarriedFile(path=place, size=0, digest="sha256:" + "0" * 64)


def test_two_files_for_one_place_are_refused(stack: Stack, pick, packed, tmp_path):
    def other():
        return None

    from prefect import flow

    (file,) = pick("top.txt")
    made = packed(flow(other)).model_copy(update={"files": (file,), "body": str(tmp_path / "packed" / "body")})
    inside = CarriedFile(path="top.txt/below", size=file.size, digest=file.digest)

    async def twice(*files: CarriedFile) -> None:
        async with StoreClient(stack.endpoints.store) as store_client:
            await carried_files.upload_files(store_client, made.files, made.list_copies())
            await carried_files.download_files(store_client, files, tmp_path / "run")

    with pytest.raises(ContentRefused, match=r"The path top\.txt of a data file conflicts"):
        asyncio.run(twice(file, file))
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(ContentRefused, match=r"The path top\.txt/below of a data file conflicts"):
        asyncio.run(twice(file, inside))
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["top.txt"]


CELLS = """
import os
from pathlib import Path
from prefect import flow, task

@task
def size_of(place): return len(Path(place).read_text()), os.getcwd() == HOME, os.path.exists("data/b.csv")

@flow
def main(places: list[str]):
    there = size_of.map(places).result()
    assert there == [(10, False, False), (15, False, False)], there
HOME = os.getcwd()
os.chdir("/")
"""


@pytest.mark.parametrize("executor", ["threads", "dask-local"])
def test_files_lie_where_the_flow_looks_for_them(executor, stack: Stack, start_kernel: type[Kernel], folder, ran, name):
    kernel = start_kernel(folder)
    kernel.run(CELLS)
    directory = folder.parent / "packed"
    directory.mkdir()
    try:
        made = PackedFlow.model_validate(kernel.pack("main", include=["data/deep", "data/a*"], directory=directory))
    finally:
        kernel.stop()
    shutil.rmtree(folder)
    wanted = Registration(
        name=name,
        executor=ExecutorChoice(name=executor),
        parameters={"places": ["data/a.csv", "data/deep/c.csv"]},
        include=("data/deep", "data/a*"),
    )
    done = asyncio.run(register(made, wanted, stack.endpoints, stack.settings))
    assert [file.path for file in done.files] == ["data/a.csv", "data/deep/c.csv"]
    detail = ran(done)
    assert detail.run.state_type == "COMPLETED", detail
    again = asyncio.run(register(made, wanted, stack.endpoints, stack.settings))
    assert again.outcome == "unchanged"


def test_a_changed_file_is_a_change(kernel: Kernel):
    (kernel.home / "x.csv").write_text("1")
    kernel.run("from prefect import flow\n@flow\ndef main(): return open('x.csv').read()")
    first, without = kernel.pack("main", include=["x.csv"]), kernel.pack("main")
    assert kernel.pack("main", include=["x.csv"])["exact"] == first["exact"] != without["exact"]
    (kernel.home / "x.csv").write_text("2")
    assert kernel.pack("main", include=["x.csv"])["exact"] != first["exact"]
