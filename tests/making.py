"""Makers of domain values with plain defaults, so that a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from soundalike.domain.catalogue import own_entry
from soundalike.domain.features import FeatureSchema, FeatureVectors, whole_and_halves
from soundalike.domain.files import FileStamp, Location, Part, TrackFile
from soundalike.domain.listens import Erased, Listen, ListenKind
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track, TrackEntry
from soundalike.domain.types import (
    AudioHash,
    DurationMs,
    EventId,
    FloatArray,
    RelativePath,
    RootName,
    TrackId,
    UserId,
)

SOME_TIME = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def make_location(path: bytes = b"a.mp3", root: str = "music") -> Location:
    return Location(RootName(root), RelativePath(path))


def make_schema(size: int = 4, *, name: str = "tiny", version: int = 1) -> FeatureSchema:
    features = tuple(f"feature_{number}" for number in range(size))
    groups = tuple("even" if number % 2 == 0 else "odd" for number in range(size))
    return FeatureSchema(name, version, features, groups)


def make_vectors(schema: FeatureSchema | None = None, seed: int = 0) -> FeatureVectors:
    schema = schema or make_schema()
    return with_halves(schema, *np.random.default_rng(seed).normal(size=(3, len(schema))).astype(np.float32))


def with_halves(
    schema: FeatureSchema, whole: FloatArray, first: FloatArray, second: FloatArray
) -> FeatureVectors:
    """Return the vectors of a track of 30 s and of its halves."""
    return FeatureVectors(schema, whole_and_halves(0, 30_000), np.stack([whole, first, second]))


def make_track(  # noqa: PLR0913 - one keyword per field, each with a default
    track_id: str = "t1",
    *,
    title: str | None = None,
    artist: str | None = "Some Artist",
    album: str | None = "Some Album",
    genre: str | None = None,
    year: int | None = None,
    root: str = "music",
    path: bytes | None = None,
    target: Path | None = None,
    size_bytes: int = 1000,
    mtime_ns: int = 1_700_000_000_123_456_789,
    audio_hash: str | None = None,
    duration_ms: int = 30_000,
    media_type: str = "audio/mpeg",
    added_at: datetime = SOME_TIME,
    vanished_at: datetime | None = None,
    part: Part | None = None,
    has_file: bool = True,
    tags: Tags | None = None,
    entry: TrackEntry | None = None,
) -> Track:
    """Title, path and audio hash are told from the id where they are not given; `tags` replaces the five."""
    title = f"Title {track_id}" if title is None else title
    if tags is None:
        tags = Tags(
            title=title,
            artists=() if artist is None else (artist,),
            album=album,
            genres=() if genre is None else (genre,),
            year=year,
        )
    file = TrackFile(
        location=make_location(f"{track_id}.mp3".encode() if path is None else path, root),
        target=target,
        stamp=FileStamp(size_bytes, mtime_ns),
        tags_stamp=f"tags of {track_id}",
        audio_hash=AudioHash(f"hash of {track_id}" if audio_hash is None else audio_hash),
        media_type=media_type,
        part=part,
    )
    return Track(
        id=TrackId(track_id),
        file=file if has_file else None,
        tags=tags,
        imported=None if has_file else tags,
        entry=own_entry(tags) if entry is None else entry,
        title=tags.title or title,
        duration_ms=DurationMs(duration_ms),
        added_at=added_at,
        vanished_at=vanished_at,
    )


def file_of(track: Track | None) -> TrackFile:
    """Return the file of a track that has one."""
    assert track is not None
    assert track.file is not None
    return track.file


def at(track: Track, path: bytes, root: str | None = None) -> Track:
    """Return a track with its file elsewhere."""
    file = file_of(track)
    return replace(track, file=replace(file, location=make_location(path, root or file.location.root)))


def make_listen(  # noqa: PLR0913 - one keyword per field, each with a default
    number: int = 0,
    *,
    user_id: str = "ada",
    track_id: str = "t1",
    kind: str = "finished",
    position_ms: int | None = None,
    at_ms: int = 0,
    generation: int | None = None,
) -> Listen:
    """Return a listen whose id is made from a number."""
    return Listen(
        id=EventId(f"00000000-0000-4000-8000-{number:012x}"),
        user_id=UserId(user_id),
        track_id=TrackId(track_id),
        kind=ListenKind(kind),
        position_ms=position_ms,
        at_ms=at_ms,
        generation=generation,
    )


def erased_until(at_ms: int | None) -> Erased:
    """Return what an erasure that names no generation leaves."""
    return Erased(until_ms=at_ms, dated_ms=at_ms)
