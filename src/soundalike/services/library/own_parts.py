"""Files that are parts by a sheet inside them, which shows only when they are read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from soundalike.domain.files import FoundFile, Location, Part
from soundalike.domain.tags import TAGS_VERSION
from soundalike.services.library.ingest import Known


def as_known_parts(files: Iterable[FoundFile], known: Known) -> Iterator[FoundFile]:
    """Yield each file, as its parts if it has not changed since its own sheet was read.

    Parameters
    ----------
    files : iterable of FoundFile
        As scanned.
    known : Known
        What the store has.
    """
    parts = defaultdict[Location, set[Part]](set)
    there = (place for place, (track, _) in known.tracks.items() if not track.is_vanished)
    for place in chain(there, known.problems):
        if place.part is not None:
            parts[place.location].add(place.part)
    for file in files:
        found = parts.get(file.location, ())
        pieces = [replace(file, part=part) for part in sorted(found, key=lambda part: part.start)]
        is_whole = file.part is None and file.sheet is None
        has_tracks = any(piece.place in known.tracks for piece in pieces)
        if is_whole and has_tracks and all(_is_as_read(piece, known) for piece in pieces):
            yield from pieces
        else:
            yield file


def _is_as_read(piece: FoundFile, known: Known) -> bool:
    """Whether what is stored of a part was made of the file as it is, by its own sheet."""
    track, stored = known.tracks.get(piece.place, (None, None))
    if track is None or stored is None:
        problem = known.problems.get(piece.place)
        return problem is not None and problem.stamp == piece.stamp and not known.is_anew(piece)
    is_same = stored.tags_stamp == piece.tags_stamp and track.tags_version == TAGS_VERSION
    return is_same and known.has_analysed(piece)
