"""Which files of a folder its CUE sheets are about."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from soundalike.audio.containers.lengths import longest_s
from soundalike.audio.cue import FRAMES_PER_S, MOST_BYTES, SheetError, SheetFile, read_sheet
from soundalike.audio.errors import is_passing
from soundalike.audio.files import NotRegularError, open_regular
from soundalike.domain.files import FoundFile

SHEET_SUFFIX = b".cue"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sheet says of a file of its folder; `digest` changes with the sheet."""

    of: SheetFile
    digest: str

    def applied(self, found: FoundFile) -> Iterable[FoundFile]:
        """Return a file as its parts, or as itself where it is one track, with what the sheet says."""
        stamp = f"{found.tags_stamp} {self.digest}"
        return [replace(found, part=part, sheet=tags, tags_stamp=stamp) for part, tags in self.of.pieces()]


@dataclass(slots=True)
class FolderSheets:
    """The sheets of a folder: what is claimed of a file, by its name, and how a sheet is broken, by its."""

    claims: dict[bytes, Claim] = field(default_factory=dict)
    broken: dict[bytes, str] = field(default_factory=dict)


def read_sheets(folder: bytes, sheets: Sequence[bytes], audio: Sequence[bytes]) -> FolderSheets:
    """Read the sheets of a folder, and find the files that they are about; the first about a file counts.

    A sheet about files that are not there says nothing: many stay behind where an image was split. The only
    audio file of a folder may be called otherwise by now, if it is long enough.

    Parameters
    ----------
    folder : bytes
        Its path.
    sheets, audio : sequence of bytes
        The names of sheets and of audio files in it, sorted.

    Raises
    ------
    OSError
        If the disk does not give a sheet at the moment.
    """
    found = FolderSheets()
    stems = {_stem(_shown(name)) for name in audio}
    # Of several sheets for one file, that which is called like it.
    for name in sorted(sheets, key=lambda name: _stem(_shown(name)) not in stems):
        try:
            data = _read(os.path.join(folder, name))  # noqa: PTH118 - bytes
            files = read_sheet(data)
        except SheetError as error:
            found.broken[name] = str(error)
            continue
        digest = hashlib.blake2b(data, digest_size=8).hexdigest()
        for one in files:
            is_alone = len(files) == 1
            meant = _meant(one.name, audio) or (_namesake(name, audio) if is_alone else None)
            left = audio[0] if is_alone and len(audio) == 1 else None
            claimed = meant or left
            if claimed is None or claimed in found.claims:
                continue
            if one.is_within(_longest_s(os.path.join(folder, claimed))):  # noqa: PTH118 - bytes
                found.claims[claimed] = Claim(one, digest)
            elif meant is not None:
                found.broken[name] = _behind(one, meant)
    return found


def _longest_s(path: bytes) -> float | None:
    try:
        with open_regular(Path(os.fsdecode(os.path.realpath(path)))) as file:
            return longest_s(file)
    except OSError:  # analysing it says what is wrong
        return None


def _behind(one: SheetFile, name: bytes) -> str:
    last = one.tracks[-1]
    minutes, seconds = divmod(last.start // FRAMES_PER_S, 60)
    return f"track {last.number} begins at {minutes}:{seconds:02}, behind the end of {_shown(name)!r}"


def _read(path: bytes) -> bytes:
    try:
        with open_regular(Path(os.fsdecode(os.path.realpath(path)))) as file:
            return file.read(MOST_BYTES + 1)
    except NotRegularError as error:
        msg = "it is not a regular file"
        raise SheetError(msg) from error
    except OSError as error:
        if is_passing(error):
            raise
        msg = f"it cannot be read: {error.strerror}"
        raise SheetError(msg) from error


def _meant(written: str, audio: Sequence[bytes]) -> bytes | None:
    """Return the file that a sheet names, which may have another case or ending by now."""
    name = written.replace("\\", "/").rpartition("/")[2]
    for alike in (lambda text: text, _folded, _stem):
        found = next((one for one in audio if alike(_shown(one)) == alike(name)), None)
        if found is not None:
            return found
    return None


def _namesake(sheet: bytes, audio: Sequence[bytes]) -> bytes | None:
    """Return the file that is called like the sheet, for a sheet that names another."""
    stem = _stem(_shown(sheet))  # "album.flac.cue" is called like "album.flac"
    found = [one for one in audio if stem in {_stem(_shown(one)), _folded(_shown(one))}]
    return found[0] if found else None


def _shown(name: bytes) -> str:
    """Return a name as a sheet would write it, in UTF-8 or else as Windows did."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp1252", "replace")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _stem(name: str) -> str:
    return os.path.splitext(_folded(name))[0]  # noqa: PTH122 - a name, which may be of another system
