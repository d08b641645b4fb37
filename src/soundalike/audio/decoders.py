"""What can be decoded on this machine, for ``soundalike doctor``."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Decoder:
    """One library that decodes or reads files.

    Parameters
    ----------
    name : str
        Of the package.
    purpose : str
        What it reads.
    version : str or None
        None where it is not installed.
    missing : str
        What to do about that; empty where nothing.
    """

    name: str
    purpose: str
    version: str | None
    missing: str = ""


_LIBRARIES = (
    ("soundfile", "mp3, flac, ogg, opus, wav, aiff", "pip install soundfile"),
    ("soxr", "resampling", "pip install soxr"),
    ("tinytag", "tags and covers", "pip install tinytag"),
    ("av", "m4a: AAC and ALAC", "pip install 'soundalike[aac]'"),
)


def decoders() -> tuple[Decoder, ...]:
    """Return every library that reads files, with its version or how to get it."""
    return tuple(_decoder(package, purpose, remedy) for package, purpose, remedy in _LIBRARIES)


def _decoder(package: str, purpose: str, remedy: str) -> Decoder:
    try:
        return Decoder(package, purpose, version(package))
    except PackageNotFoundError:
        return Decoder(package, purpose, None, remedy)
