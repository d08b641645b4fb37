"""Errors that both stores raise in the same words."""

import zlib
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from soundalike.domain.errors import NameTakenError, SchemaMismatchError, StoreError, TrackConflictError
from soundalike.domain.files import NOWHERE, Location
from soundalike.domain.tracks import Track

_P = ParamSpec("_P")
_T = TypeVar("_T")

_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error)


def damage_reporter(what: str, advice: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Return a decorator for functions that read stored values: they raise `StoreError` for damaged ones.

    Parameters
    ----------
    what : str
        What is damaged.
    advice : str
        What to do.

    Returns
    -------
    callable
        The decorator.
    """

    def decorate(read: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(read)
        def reader(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            try:
                return read(*args, **kwargs)
            except _UNREADABLE as error:
                msg = f"{what} ({error}); {advice}"
                raise StoreError(msg) from error

        return reader

    return decorate


def location_taken(track: Track, owner: str) -> TrackConflictError:
    """Return the error that another track has the file, or the part of it, of a track."""
    where = "its file" if track.file is None else _shown(track.file.location)
    return TrackConflictError(
        f"{where} belongs to track {owner}, not to {track.id}; run 'soundalike extract' again"
    )


def track_moved(track: Track, moved_from: Location) -> TrackConflictError:
    """Return the error that a track is no longer where it was to be moved from."""
    what = "got a file meanwhile" if moved_from == NOWHERE else f"is no longer at {_shown(moved_from)}"
    return TrackConflictError(f"track {track.id} {what}; run 'soundalike extract' again")


def other_features(name: str, version: int) -> SchemaMismatchError:
    """Return the error that other features are stored as a version of a feature set."""
    return SchemaMismatchError(
        f"the store has other features under the name {name}-v{version}; "
        "raise the version of the feature set that changed"
    )


def unknown_track(track_id: str) -> StoreError:
    """Return the error that vectors are of a track that is not stored."""
    return StoreError(f"track {track_id} is not stored, so its vectors cannot be")


def name_taken(name: str) -> NameTakenError:
    """Return the error that there is an account with a name."""
    return NameTakenError(f"there is already an account named {name!r}; choose another name")


def _shown(location: Location) -> str:
    return f"{location.root}:{location.path.decode(errors='replace')}"
