"""A collection as people have them: a CUE image, an album in two formats, a compilation, a box, and a gap."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundalike.domain.catalogue import own_entry
from soundalike.domain.files import FileStamp, Location, Part, Root, TrackFile
from soundalike.domain.ports.library import Store
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName, TrackId
from soundalike.services.library.catalogue import settle_catalogue

RATE = 22_050
MEDIA_TYPES = {"flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg"}
IMAGE_PART_S = 4
LIVE: dict[str, Any] = {
    "artists": ("The Harbour",),
    "album": "Live at the Mole",
    "genres": ("Rock",),
    "year": 1998,
}
LOST_TAPE = LIVE | {"title": "Lost Tape", "track_number": 4}


class Collection:
    """Writes files of tones, and saves tracks of them.

    Parameters
    ----------
    store : Store
        Where tracks are saved.
    folder : Path
        Where files are written.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder
        self._numbers = count()
        folder.mkdir()
        store.save_root(Root(RootName("music"), folder))

    def write(self, name: str, *, seconds: float = 3) -> Path:
        """Write a file with a tone of its own."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pitch_hz = 110 * 2 ** (len(list(self.folder.rglob("*.*"))) % 24 / 12)
        time_s = np.arange(int(seconds * RATE)) / RATE
        soundfile.write(path, 0.1 * np.sin(2 * np.pi * pitch_hz * time_s), RATE)
        return path

    def save(
        self,
        path: Path | None,
        *,
        seconds: float = 3,
        part: Part | None = None,
        track_id: str | None = None,
        **tags: Any,
    ) -> None:
        """Save a track of a file or of a part of one, or one without a file."""
        made = Tags(**tags)
        track_id = track_id or f"track-{next(self._numbers)}"
        self._store.save_track(
            Track(
                id=TrackId(track_id),
                file=None if path is None else self._file(path, part, track_id),
                tags=made,
                imported=made if path is None else None,
                entry=own_entry(made),
                title=str(tags["title"]),
                duration_ms=DurationMs(int(1000 * seconds)),
                added_at=datetime(2026, 1, 2, tzinfo=UTC),
            )
        )

    def find_lost_tape(self) -> None:
        """Give the track without a file its audio."""
        self.save(self.write("Live/tape.ogg"), track_id="lost-tape", **LOST_TAPE)
        settle_catalogue(self._store)

    def _file(self, path: Path, part: Part | None, track_id: str) -> TrackFile:
        found = path.stat()
        return TrackFile(
            location=Location(RootName("music"), RelativePath(str(path.relative_to(self.folder)).encode())),
            stamp=FileStamp(found.st_size, found.st_mtime_ns),
            audio_hash=AudioHash(f"hash of {track_id}"),
            media_type=MEDIA_TYPES[path.suffix[1:]],
            part=part,
        )


def fill_collection(store: Store, folder: Path) -> Collection:
    """Save the whole collection, and settle its catalogue."""
    made = Collection(store, folder)
    image = made.write("Live/image.flac", seconds=3 * IMAGE_PART_S)
    for number, title in enumerate(("Opening", "Middle", "Encore")):
        start = number * IMAGE_PART_S * RATE
        part = Part(start, None if number == 2 else start + IMAGE_PART_S * RATE, RATE)
        made.save(image, seconds=IMAGE_PART_S, part=part, title=title, track_number=number + 1, **LIVE)
    made.save(None, track_id="lost-tape", **LOST_TAPE)
    for number, title in enumerate(("Salt", "Brine", "Tide", "Foam"), start=1):
        for ending in ("flac", "mp3"):
            path = made.write(f"Sea/{number} {title}.{ending}")
            artists = ("Ada Wave", "The Harbour") if number == 2 else ("Ada Wave",)
            made.save(
                path, title=title, artists=artists, album="Sea", track_number=number, year=2004,
                genres=("Ambient", "Electronic"),
            )  # fmt: skip
    names = ("Ida Moor", "Lena Fell", "Tom Beck", "Ben Holm")
    for number, artist in enumerate(names, start=1):
        path = made.write(f"Hills/{number}.ogg")
        made.save(
            path, title=f"Song of {artist.split()[1]}", artists=(artist,), album="Songs of the Hills",
            track_number=number, year=2011, genres=("Folk",),
        )  # fmt: skip
    for disc in (1, 2, 3):
        for number in (1, 2, 3):
            path = made.write(f"Box/{disc}-{number}.ogg")
            made.save(
                path, title=f"Étude {disc}.{number}", artists=("Clara Vogel",), album_artist="Clara Vogel",
                album="The Complete Études", disc_number=disc, track_number=number, year=1975,
                genres=("Classical",),
            )  # fmt: skip
    settle_catalogue(store)
    return made
