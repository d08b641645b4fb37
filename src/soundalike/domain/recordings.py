"""Copies of one recording on one album, and which of them to play."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from soundalike.domain.files import Location
from soundalike.domain.tracks import Track, TrackEntry
from soundalike.domain.types import AlbumId, ArtistId, GenreId, TrackId
from soundalike.domain.words import sort_key

SAME_LENGTH_MS = 2_000
"""Copies of one recording differ by no more: encoders pad, and rips differ by a gap."""

_LOSSLESS = frozenset(
    {
        *("audio/flac", "audio/ogg; codecs=flac", "audio/mp4; codecs=alac"),
        *(
            "audio/wav",
            "audio/aiff",
            "audio/x-w64",
            "audio/mp4; codecs=flac",
            "audio/x-matroska; codecs=flac",
        ),
        *("audio/x-wavpack", "audio/x-ape", "audio/x-tta", "audio/x-tak", "audio/x-shorten"),
    }
)
_DIGEST_BYTES = 12


@lru_cache(maxsize=10_000)
def name_key(name: str) -> str:
    """Return what is the same in all spellings of a name."""
    return sort_key(name) or name


def digest(*parts: str) -> str:
    """Return the hex digest of some texts."""
    text = "\0".join(part.replace("\0", "\0\1") for part in parts)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def with_recordings(album: AlbumId, tracks: Sequence[Track]) -> list[Track]:
    """Return an album's tracks with the keys of their recordings, and which to play of each."""
    lengths = _file_lengths(tracks)
    same: defaultdict[str, list[Track]] = defaultdict(list)
    alone: list[Track] = []
    for track in tracks:
        tags = track.tags
        if tags.title is None or tags.track_number is None:
            alone.append(track)
        else:
            about = (str(track.disc_number or 1), str(tags.track_number), name_key(tags.title))
            same[digest("recording", album, *about)].append(track)
    entries: dict[TrackId, TrackEntry] = {
        track.id: replace(track.entry, recording=None, is_preferred=True, preferred_for=()) for track in alone
    }
    for key, copies in same.items():
        for number, recording in enumerate(_of_one_length(copies)):
            named: set[ArtistId | GenreId] = set()
            for rank, track in enumerate(sorted(recording, key=partial(_preference, lengths=lengths))):
                names = track.entry.credited_ids.union(track.entry.genre_ids)
                entries[track.id] = replace(
                    track.entry,
                    recording=key if number == 0 else f"{key}-{number}",
                    is_preferred=rank == 0,
                    preferred_for=tuple(sorted(names - named)) if rank else (),
                )
                if not track.is_vanished:
                    named |= names
    return [replace(track, entry=entries[track.id]) for track in tracks]


def _of_one_length(tracks: Iterable[Track]) -> Iterator[list[Track]]:
    """Part tracks where the next is more than 2 s longer than the first."""
    part: list[Track] = []
    for track in sorted(tracks, key=lambda track: (track.duration_ms, track.id)):
        if part and track.duration_ms - part[0].duration_ms > SAME_LENGTH_MS:
            yield part
            part = []
        part.append(track)
    if part:
        yield part


def _file_lengths(tracks: Iterable[Track]) -> Mapping[Location, int]:
    """Return the lengths of files that have several tracks, in ms, by the last of them that is known."""
    lengths: defaultdict[Location, int] = defaultdict(int)
    for track in tracks:
        if track.file is not None and track.file.part is not None:
            end_ms = track.file.part.start_ms + track.duration_ms
            lengths[track.file.location] = max(lengths[track.file.location], end_ms)
    return lengths


def _preference(track: Track, *, lengths: Mapping[Location, int]) -> tuple[bool, bool, bool, float, TrackId]:
    """Order the copies of a recording, the best first."""
    is_lossless = track.file is not None and track.file.media_type in _LOSSLESS
    return track.is_vanished, not track.has_audio, not is_lossless, -_bitrate(track, lengths), track.id


def _bitrate(track: Track, lengths: Mapping[Location, int]) -> float:
    """Return bytes per ms: of a part, those of its file."""
    if track.file is None:
        return 0.0
    length_ms = lengths[track.file.location] if track.file.part is not None else track.duration_ms
    return track.file.stamp.size_bytes / length_ms if length_ms else 0.0
