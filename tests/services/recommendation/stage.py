"""A library on a plane and its listeners, for tests of the recommender."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from artefact_store import MemoryArtefactStore, make_draft
from fakes import MemoryStore
from making import make_listen, make_schema, make_track, with_halves
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.results import Recommendation, Recommendations
from soundalike.domain.tracks import TrackEntry
from soundalike.domain.types import TrackId, UserId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.recommender import Recommender
from soundalike.wire.reasons import note_text, reason_text

SCHEMA = make_schema(2)


ADA, BOB = UserId("ada"), UserId("bob")


NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


TESTS = Path(__file__).parents[2]


class Stage:
    """A library on a plane, and its listeners."""

    def __init__(self) -> None:
        self.store, self.artefacts = MemoryStore(), MemoryArtefactStore()
        self.now = NOON
        self._listens = 0
        self._points: dict[str, list[float]] = {}
        self.profiles = Profiles(self.store, lateness_ms=7 * 24 * 3600 * 1000)
        self.recommender = self.new_recommender()

    def new_recommender(self, *, is_strict: bool = True) -> Recommender:
        library = Library(self.store, RootMap(self.store, {}))
        return Recommender(
            self.store,
            self.artefacts,
            library,
            self.profiles,
            clock=lambda: self.now,
            is_strict=is_strict,
        )

    def add(
        self,
        name: str,
        *place: float,
        artist: str | None = "",
        title: str | None = None,
        audio_hash: str | None = None,
        duration_ms: int = 200_000,
        recording: str | None = None,
    ) -> None:
        self._points[name] = list(place)
        whole = np.array(place, dtype=np.float32)
        track = make_track(
            name,
            artist=f"artist of {name}" if artist == "" else artist,
            title=title,
            audio_hash=audio_hash,
            duration_ms=duration_ms,
            entry=None if recording is None else TrackEntry(recording=recording),
        )
        self.store.save_track(track, with_halves(SCHEMA, whole, whole, whole))

    def add_heap(
        self, prefix: str, count: int, *middle: float, artist: str | None = "", seed: int = 0
    ) -> None:
        """Put tracks on a grid of four columns, with a little noise."""
        rng = np.random.default_rng(seed)
        for number in range(count):
            place = np.array(middle) + np.array(divmod(number, 4)) + rng.uniform(-0.1, 0.1, size=2)
            self.add(f"{prefix}{number:02}", *place.tolist(), artist=artist)

    def build(self) -> None:
        self.artefacts.publish(make_draft(self._points, k=10, schema=SCHEMA))

    def listen(self, *deeds: str | tuple[str, int], user: UserId = ADA) -> None:
        """Store listens such as ``"finished a"`` or ``("skipped b", 5000)``, each a minute after the last."""
        listens = []
        for deed in deeds:
            text, position_ms = (deed, None) if isinstance(deed, str) else deed
            kind, track_id = text.split()
            self._listens += 1
            at_ms = int(NOON.timestamp() * 1000) - 3_600_000 + self._listens * 60_000
            listens.append(
                make_listen(
                    self._listens,
                    user_id=user,
                    kind=kind,
                    track_id=track_id,
                    position_ms=position_ms,
                    at_ms=at_ms,
                )
            )
        self.store.add_listens(listens)
        self.profiles.fold(listens)

    def ask(
        self,
        *,
        limit: int = 10,
        seed: str | None = None,
        exclude: Iterable[str] = (),
        recent: Iterable[str] = (),
        adventure: float = 0.0,
        user: UserId = ADA,
    ) -> Recommendations:
        question = Question(
            limit=limit,
            seed=None if seed is None else TrackId(seed),
            exclude=[TrackId(each) for each in exclude],
            recent=[TrackId(each) for each in recent],
            adventure=adventure,
        )
        return self.recommender.recommend(user, question)

    def names(self, **question: object) -> list[str]:
        return names(self.ask(**question))  # type: ignore[arg-type] # as `ask` takes them


def names(found: Recommendations) -> list[str]:
    return [one.track.id for one in found.recommendations]


def texts(found: Recommendations) -> list[str]:
    return [text_of(one, found.asked_at) for one in found.recommendations]


def text_of(one: Recommendation, now: datetime = NOON) -> str:
    return reason_text(one.reason, track_id=one.track.id, now=now)


def note(found: Recommendations) -> str:
    return note_text(found.notes) or ""


def one(found: Recommendations, name: str) -> Recommendation:
    return next(each for each in found.recommendations if each.track.id == name)
