"""FMA's archives: their sums, and how they get here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch

from soundalike.domain.errors import FmaError
from soundalike.fma.resuming import ResumingDownloader

BASE_URL = "https://os.unil.cloud.switch.ch/fma/"
"""Where the authors of FMA keep it."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive of FMA.

    Parameters
    ----------
    name : str
        Of the archive: ``fma_small`` is ``fma_small.zip``.
    sha1 : str
        As FMA's own page gives it.
    unpacked_bytes : int
        About how much is in it.
    """

    name: str
    sha1: str
    unpacked_bytes: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.zip"


ARCHIVES = {
    "small": Archive("fma_small", "ade154f733639d52e35e32f5593efe5be76c6d70", 7_700_000_000),
    "medium": Archive("fma_medium", "c67b69ea232021025fca9231fc1c7c1a063ab50b", 23_700_000_000),
    "large": Archive("fma_large", "497109f4dd721066b5ce5e5f250ec604dc78939e", 99_900_000_000),
    "full": Archive("fma_full", "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab", 944_000_000_000),
    "metadata": Archive("fma_metadata", "f0df49ffe5f2a6008d7dc83c6915b31835dfe733", 1_500_000_000),
}
"""By the name that the command takes."""


def fetch(
    archive: Archive, folder: Path, *, downloading: ResumingDownloader, base_url: str = BASE_URL
) -> Path:
    """Download an archive and check its sum, unless it is there; return its path.

    Parameters
    ----------
    archive : Archive
        Which one.
    folder : Path
        Where to; it is made.
    downloading : ResumingDownloader
        Downloads it.
    base_url : str
        Where the archives are.

    Raises
    ------
    FmaError
        If it cannot be downloaded, or is not what it should be.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    registry = pooch.create(
        folder, f"{base_url.rstrip('/')}/", registry={archive.file: f"sha1:{archive.sha1}"}
    )
    try:
        return Path(registry.fetch(archive.file, downloader=_downloader(downloading, folder / archive.file)))
    except ValueError as error:  # pooch's word for a wrong sum
        msg = (
            f"{archive.file} from {base_url} has not the SHA-1 {archive.sha1}, and was removed: run the "
            "same command again; if that does not help, the server has another file"
        )
        raise FmaError(msg) from error
    except OSError as error:
        msg = f"{archive.file} cannot be put into {str(folder)!r}: {error.strerror or error}"
        raise FmaError(msg) from error


def _downloader(downloading: ResumingDownloader, archive: Path) -> Callable[[str, str, object], None]:
    """Return what pooch calls with the address and the path of a temporary file."""

    def download(url: str, output: str, _pooch: object) -> None:
        # What has come is kept under the name of the archive, which the next run knows.
        downloading.download(url, Path(output), part=archive.with_name(f"{archive.name}.part"))

    return download
