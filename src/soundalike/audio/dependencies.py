"""The libraries that read audio files: which are there, for ``soundalike doctor``, and their versions."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

READER_VERSION = 2
"""Of this program's own part in reading files: raised whenever it reads what it could not, or otherwise."""


@dataclass(frozen=True, slots=True)
class AudioDependency:
    """One library that reads audio files.

    Parameters
    ----------
    name : str
        Of the package.
    purpose : str
        What it reads.
    version : str or None
        None if it is not installed.
    missing : str
        How to install it; empty if it is installed.
    """

    name: str
    purpose: str
    version: str | None
    missing: str = ""


_LIBRARIES = (
    ("soundfile", "mp3, flac, ogg, opus, wav, aiff, caf", "pip install soundfile"),
    ("soxr", "resampling", "pip install soxr"),
    ("tinytag", "tags of Windows Media files", "pip install tinytag"),
    ("av", "m4a, webm, wma, wv and others", "pip install 'soundalike[codecs]'"),
)


def audio_dependencies() -> tuple[AudioDependency, ...]:
    """Return every library that reads files, with its version or how to get it."""
    return tuple(_dependency(package, purpose, remedy) for package, purpose, remedy in _LIBRARIES)


def has_pyav() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None


def reader_versions() -> str:
    """Return the versions of all that decides whether a file can be read, as one line.

    Of PyAV its wheel's, which has FFmpeg in it, without loading it.
    """
    import soundfile  # noqa: PLC0415 - only what reads files loads it

    libraries = {"reader": str(READER_VERSION), "libsndfile": soundfile.__libsndfile_version__}
    if has_pyav():
        libraries["av"] = _version_of("av") or "of unknown version"
    return ", ".join(f"{name} {number}" for name, number in libraries.items())


def _dependency(package: str, purpose: str, remedy: str) -> AudioDependency:
    found = _version_of(package)
    return AudioDependency(package, purpose, found, "" if found else remedy)


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
