"""The libraries that read audio files, for ``soundalike doctor``."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


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
    ("tinytag", "tags and covers", "pip install tinytag"),
    ("av", "m4a, webm, wma, wv and others", "pip install 'soundalike[codecs]'"),
)


def audio_dependencies() -> tuple[AudioDependency, ...]:
    """Return every library that reads files, with its version or how to get it."""
    return tuple(_dependency(package, purpose, remedy) for package, purpose, remedy in _LIBRARIES)


def _dependency(package: str, purpose: str, remedy: str) -> AudioDependency:
    try:
        return AudioDependency(package, purpose, version(package))
    except PackageNotFoundError:
        return AudioDependency(package, purpose, None, remedy)
