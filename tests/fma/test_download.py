"""FMA's archives come whole or not at all, however the network and the disk fail."""

import errno
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from fma.server import FileServer, serving
from soundalike.domain.errors import FmaError
from soundalike.fma.download import ARCHIVES, Archive, fetch
from soundalike.fma.resuming import ATTEMPTS, ResumingDownloader
from soundalike.fma.unpacking import unpack


def nowhere(_done: int, _total: int) -> None:
    pass


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


FILES = {"fma_tiny/000/000002.mp3": b"m" * 30_000, "fma_tiny/checksums": bytes(range(256)) * 40}
CONTENT = zipped(FILES)


class Place:
    """A folder into which an archive is fetched from a server."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.folder = folder
        self.server = server
        self.pauses: list[float] = []
        self.steps: list[tuple[int, int]] = []

    def downloader(self, **more: Any) -> ResumingDownloader:
        return ResumingDownloader(progress=nowhere, pause=self.pauses.append, **more)

    def fetch(self, *, sha1: str | None = None, **more: Any) -> Path:
        archive = Archive("fma_tiny", sha1 or hashlib.sha1(CONTENT).hexdigest(), 1)  # noqa: S324 - FMA gives no other
        downloader = self.downloader(**more)
        path = fetch(archive, self.folder, downloading=downloader, base_url=self.server.url)
        return unpack(
            path,
            self.folder,
            progress=lambda done, total: self.steps.append((done, total)),
            free_bytes=downloader.free_bytes,
        )

    def is_whole(self) -> bool:
        return all((self.folder / name).read_bytes() == content for name, content in FILES.items())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving(FileServer(CONTENT)) as server:
        yield Place(tmp_path / "to", server)


def test_an_archive_is_downloaded_checked_and_unpacked_once(place: Place) -> None:
    assert place.fetch() == place.folder / "fma_tiny"
    assert place.is_whole()
    assert place.steps == [(1, 2), (2, 2)]
    assert sorted(path.name for path in place.folder.iterdir()) == ["fma_tiny", "fma_tiny.zip"]
    place.fetch()
    assert len(place.server.asked) == 1
    assert place.steps == [(1, 2), (2, 2)], "nothing is unpacked again"


def test_a_cut_connection_is_continued_where_it_broke(place: Place) -> None:
    place.server.cuts = [100, 50]
    place.fetch()
    assert place.is_whole()
    assert place.server.ranges() == [None, "bytes=100-", "bytes=150-"]
    assert [headers.get("If-Range") for headers in place.server.asked] == [None, '"v1"', '"v1"']


def test_another_run_continues_what_one_began(place: Place) -> None:
    place.server.cuts = [100] + [0] * ATTEMPTS
    with pytest.raises(FmaError, match=r"connection was cut.*run the same command again"):
        place.fetch()
    assert not (place.folder / "fma_tiny.zip").exists()
    place.server.asked.clear()
    place.fetch()
    assert place.is_whole()
    assert place.server.ranges() == ["bytes=100-"]


def test_a_run_that_ended_just_before_the_check_downloads_nothing_again(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "fma_tiny.zip.part").write_bytes(CONTENT)
    place.fetch()
    assert place.is_whole()
    assert len(place.server.asked) == 1


def test_a_part_that_is_longer_than_the_file_is_thrown_away(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "fma_tiny.zip.part").write_bytes(CONTENT + b"more")
    place.fetch()
    assert place.is_whole()


@pytest.mark.parametrize("change", ["no Range", "another version"])
def test_what_cannot_be_continued_begins_anew(place: Place, change: str) -> None:
    place.folder.mkdir()
    (place.folder / "fma_tiny.zip.part").write_bytes(b"x" * 100)
    (place.folder / "fma_tiny.zip.part.tag").write_text('"v0"' if change == "another version" else '"v1"')
    place.server.has_ranges = change != "no Range"
    place.fetch()
    assert place.is_whole()
    assert place.server.ranges() == ["bytes=100-"]


def test_a_server_without_range_that_cuts_every_answer_is_given_up(place: Place) -> None:
    place.server.has_ranges = False
    place.server.cuts = [100] * 50
    with pytest.raises(FmaError, match="connection was cut"):
        place.fetch()
    assert len(place.server.asked) == ATTEMPTS + 1
    assert place.pauses == sorted(place.pauses)


def test_a_wrong_sum_is_said_and_nothing_stays(place: Place) -> None:
    with pytest.raises(FmaError, match=r"fma_tiny\.zip.*SHA-1 0000"):
        place.fetch(sha1="0" * 40)
    assert list(place.folder.iterdir()) == []


def test_busy_servers_are_asked_again_and_others_are_not(place: Place) -> None:
    place.server.codes = [503, 429]
    place.fetch()
    assert place.pauses == [2.0, 4.0]
    (place.folder / "fma_tiny.zip").unlink()
    place.server.codes = [404]
    with pytest.raises(FmaError, match="404 Not Found"):
        place.fetch()


def test_a_server_that_is_not_there_is_given_up(place: Place) -> None:
    place.server.url = "http://127.0.0.1:1/"
    with pytest.raises(FmaError, match="refused"):
        place.fetch()
    place.server.url = "file:///etc/"
    with pytest.raises(FmaError, match="no address of a web server"):
        place.fetch()


def test_free_disk_is_checked_before_anything_is_written(place: Place) -> None:
    size = len(CONTENT)
    with pytest.raises(FmaError, match=r"MB free, but .* MB are needed.*--to"):
        place.fetch(free_bytes=lambda _folder: size + 4, extra_bytes=5)
    assert list(place.folder.iterdir()) == []
    with pytest.raises(FmaError, match="MB are unpacked"):
        place.fetch(free_bytes=lambda _folder: size + 5, extra_bytes=5)
    assert not (place.folder / "fma_tiny").exists()


def test_a_disk_that_fills_up_is_said_and_what_came_is_kept(place: Place) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def full(_path: Path, _mode: str) -> BinaryIO:
        return Full()

    place.server.cuts = [100] + [0] * ATTEMPTS
    with pytest.raises(FmaError):
        place.fetch()
    with pytest.raises(FmaError, match=r"No space left on device.*run it again to continue"):
        place.fetch(open_file=full)
    assert (place.folder / "fma_tiny.zip.part").stat().st_size == 100
    place.fetch()
    assert place.is_whole()


def test_the_sums_are_those_of_fma() -> None:
    assert {name: archive.sha1[:8] for name, archive in ARCHIVES.items()} == {
        "metadata": "f0df49ff", "small": "ade154f7", "medium": "c67b69ea", "large": "497109f4",
        "full": "0f0ace23",
    }  # fmt: skip


class TestHostileArchives:
    @pytest.mark.parametrize(
        "name",
        ["../x", "a/../../x", "/etc/x", "a\\..\\x", "c:x", "a/\x01"],
    )
    def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(
        self, tmp_path: Path, name: str
    ) -> None:
        archive = tmp_path / "a.zip"
        archive.write_bytes(zipped({"good": b"1", name: b"2"}))
        with pytest.raises(FmaError, match="leads out of the folder"):
            unpack(archive, tmp_path / "to", progress=nowhere)
        assert not (tmp_path / "to").exists()
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
    def test_links_and_devices_are_refused(self, tmp_path: Path, kind: int) -> None:
        info = zipfile.ZipInfo("fma/link")
        info.external_attr = (kind | 0o777) << 16
        archive = tmp_path / "a.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr(info, "/etc/passwd")
        with pytest.raises(FmaError, match="is a link"):
            unpack(archive, tmp_path / "to", progress=nowhere)

    def test_a_bomb_is_refused(self, tmp_path: Path) -> None:
        archive = tmp_path / "a.zip"
        archive.write_bytes(zipped({"zeros": bytes(150_000_000)}))
        with pytest.raises(FmaError, match="too much"):
            unpack(archive, tmp_path / "to", progress=nowhere)

    @pytest.mark.parametrize("place", [60, 120, 300, -30])
    def test_damage_is_said_and_no_half_file_has_its_name(self, tmp_path: Path, place: int) -> None:
        content = bytearray(zipped({"fma/a": bytes(range(256)) * 20, "fma/b": b"2" * 999}))
        content[place] ^= 0xFF
        archive = tmp_path / "a.zip"
        archive.write_bytes(bytes(content))
        with pytest.raises(FmaError, match=r"is not unpacked|cannot be unpacked"):
            unpack(archive, tmp_path, progress=nowhere)
        assert not list(tmp_path.rglob("*.part"))

    def test_no_zip_at_all_is_said(self, tmp_path: Path) -> None:
        archive = tmp_path / "a.zip"
        archive.write_bytes(b"<html>")
        with pytest.raises(FmaError, match="download it again"):
            unpack(archive, tmp_path, progress=nowhere)
