"""The feature sets that a library has, and how one is removed."""

from collections.abc import Sequence

from soundalike.domain.counts import counted
from soundalike.domain.errors import UnknownFeatureSetError
from soundalike.domain.ports.features import FeatureStore
from soundalike.domain.stored_vectors import StoredSet


def forget_set(store: FeatureStore, name: str) -> tuple[StoredSet, ...]:
    """Remove a feature set, or all versions of one; return what was removed.

    Parameters
    ----------
    store : FeatureStore
        Of the library.
    name : str
        The set's key, such as ``"timbre-v1"``, or its name alone.

    Raises
    ------
    UnknownFeatureSetError
        If there is none; it lists those that there are.
    """
    known = store.feature_sets()
    wanted = [one for one in known if name in {one.key, one.key.rpartition("-v")[0]}]
    if not wanted:
        msg = f"no track has a feature set {name!r}; {_listed(known)}"
        raise UnknownFeatureSetError(msg)
    for one in wanted:
        store.forget_set(one.key)
    return tuple(wanted)


def _listed(known: Sequence[StoredSet]) -> str:
    if not known:
        return "nothing has been analysed yet"
    sets = (f"{one.key} ({counted(one.track_count, 'track')})" for one in known)
    return f"there is {', '.join(sets)}"
