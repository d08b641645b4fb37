"""The same recording: from another file, under another name, or as it sounds."""

from collections.abc import Collection, Hashable, Iterable, Iterator

from soundalike.domain.recommendation.rules import is_same_position, is_same_title, name_of
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray


class KnownRecordings:
    """Remembers the recordings that are in a slate, or must not come into it.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Of all tracks.
    thresholds : FloatArray, shape (n,)
        Up to this distance from each another track is the same recording.
    never : collection of Track
        What must not come at all.
    recent : iterable of Track
        What must not come while anything new is left.
    by_key : bool
        Whether tracks with the same recording key in the catalogue are one recording.
    """

    def __init__(
        self,
        coordinates: FloatArray,
        *,
        thresholds: FloatArray,
        never: Collection[Track] = (),
        recent: Iterable[Track] = (),
        by_key: bool = True,
    ) -> None:
        self._coordinates = coordinates
        self._thresholds = thresholds
        self._never = never
        self._by_key = by_key
        self._rows: list[int] = []
        self._tracks: dict[tuple[str | None, str | None], list[Track]] = {}
        self._keys: set[Hashable] = set()
        for track in (*never, *recent):
            self.exclude(track)

    def has(self, row: int, track: Track) -> bool:
        """Whether a track is one of these recordings.

        Parameters
        ----------
        row : int
            Of the track.
        track : Track
            The track.
        """
        if not self._keys.isdisjoint(self._keys_of(track)):
            return True
        if any(is_same_title(track, other) for other in self._tracks.get(name_of(track), ())):
            return True
        return is_same_position(
            self._coordinates[row], self._coordinates[self._rows], threshold=float(self._thresholds[row])
        )

    def add(self, row: int, track: Track) -> None:
        """Remember a track that is in the slate.

        Parameters
        ----------
        row : int
            Of the track.
        track : Track
            The track.
        """
        self.exclude(track)
        self._rows.append(row)

    def without_recent(self) -> "KnownRecordings":
        """Return one that remembers only what must not come at all, not even if all else has come."""
        return KnownRecordings(
            self._coordinates, thresholds=self._thresholds, never=self._never, by_key=self._by_key
        )

    def exclude(self, track: Track) -> None:
        """Remember a track that must not come, by its audio, its place on an album, and its name."""
        self._tracks.setdefault(name_of(track), []).append(track)
        self._keys.update(self._keys_of(track))

    def _keys_of(self, track: Track) -> Iterator[Hashable]:
        """Yield what only copies of a recording have in common."""
        if track.file is not None:
            yield track.file.audio_hash, track.file.part  # parts of one file are different recordings
        if self._by_key and track.entry.recording is not None:
            yield track.entry.recording
