"""Rankings that depend on a profile, an artefact and a seed alone: computed once, used for many questions."""

import threading
from collections import OrderedDict

from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.profiles import Profile
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.recommendation.scoring import Scoring, score_library
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.types import FloatArray, ProfileVersion

_MAX_RANKINGS = 256

_Key = tuple[ProfileVersion, bytes]


class RankingCache:
    """Caches the latest rankings; safe for several threads at once.

    Parameters
    ----------
    artefacts : ArtefactStore
        Has the artefact in use.
    """

    def __init__(self, artefacts: ArtefactStore) -> None:
        self._artefacts = artefacts
        self._index_lock, self._lock = threading.Lock(), threading.Lock()
        self._index: LibraryIndex | None = None
        self._rankings: OrderedDict[_Key, Scoring] = OrderedDict()

    def library_index(self) -> LibraryIndex:
        """Return the index of the artefact in use, computed once.

        Raises
        ------
        NoArtefactError
            If nothing has been built.
        """
        artefact = self._artefacts.current()
        with self._index_lock:
            if self._index is None or self._index.artefact is not artefact:
                self._index = index_library(artefact)
                with self._lock:
                    self._rankings.clear()
            return self._index

    def scored(self, profile: Profile, index: LibraryIndex, seed: FloatArray | None) -> Scoring:
        """Return the tracks of a library as a listener's taste, or a seed, ranks them.

        Parameters
        ----------
        profile : Profile
            Of the listener.
        index : LibraryIndex
            Of the library.
        seed : FloatArray or None, shape (m,)
            Coordinates of the track to rank by, if any.
        """
        key = (profile.version, b"" if seed is None else seed.tobytes())
        with self._lock:
            cached = self._rankings.get(key)
            if cached is not None and cached.index is index:
                self._rankings.move_to_end(key)
                return cached
        scoring = score_library(index, profile_taste(profile.taste, index), seed)
        if not scoring.is_cold_start:
            _ = scoring.candidate_lists
        with self._lock:
            self._rankings[key] = scoring
            self._rankings.move_to_end(key)
            if len(self._rankings) > _MAX_RANKINGS:
                self._rankings.popitem(last=False)
        return scoring
