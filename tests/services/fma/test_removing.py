"""What an import of FMA gave is taken out, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from making import SOME_TIME, make_listen, make_track
from services.fma.test_importing import FOOD, OTHER, Library, Metadata
from soundalike.domain.entries import EntrySort
from soundalike.domain.files import Root
from soundalike.domain.fma import FMA, fma_id
from soundalike.domain.listens import ListenKind
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Sort
from soundalike.domain.types import RootName, TrackId
from soundalike.services.fma.removing import FmaRemoval, FmaRemover


class World(Library):
    """FMA's tracks 2, 5 and 9 in a library with tracks of its own; 9 has its audio here."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.store.save_root(Root(RootName("music"), folder))
        own = Tags(title="Clip", artists=("AWOL",))
        self.store.save_track(make_track("clip", tags=own, path=b"fma_small/000/000009.mp3"))
        self.store.save_track(make_track("own", title="Mine"))
        third = replace(FOOD, title="Third", external_ids=(fma_id(9),))
        self.metadata = Metadata(FOOD, OTHER, third, features=[2, 5])
        self.take(self.metadata)
        self.remover = FmaRemover(self.store, clock=lambda: SOME_TIME)

    def remove(self) -> FmaRemoval:
        return self.remover.remove(progress=lambda _done, _total: None)

    def listen(self, title: str, kind: ListenKind = ListenKind.LIKED) -> TrackId:
        track_id = self.tracks()[title].id
        self.store.add_listens([replace(make_listen(1), track_id=track_id, kind=kind)])
        return track_id


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_it_says_what_it_will_do_and_changes_nothing(world: World) -> None:
    world.listen("Other")
    before = world.tracks(), world.store.library_version()
    plan = world.remover.plan()
    assert (plan.removed, plan.vanished, plan.kept, plan.feature_sets) == (1, 1, 1, ("fma-v1",))
    assert (world.tracks(), world.store.library_version()) == before
    done = world.remove()
    assert done == plan


@pytest.mark.parametrize("kind", [ListenKind.STARTED, ListenKind.LIKED, ListenKind.DISLIKED])
def test_what_somebody_heard_or_liked_vanishes_and_comes_back_with_its_id(
    world: World, kind: ListenKind
) -> None:
    liked = world.listen("Other", kind)
    world.remove()
    track = world.store.track(liked)
    assert track is not None
    assert track.is_vanished
    assert [one.track_id for one in world.store.listens_of(make_listen().user_id)] == [liked]
    assert set(world.tracks()) == {"Other", "Clip", "Mine"}
    assert world.remove() == FmaRemoval()
    world.take(world.metadata)
    again = world.tracks()["Other"]
    assert (again.id, again.is_vanished) == (liked, False)


def test_tracks_with_audio_stay_without_fmas_metadata(world: World) -> None:
    assert world.tracks()["Clip"].tags.licence == "CC BY"
    done = world.remove()
    assert [folder.path for folder in done.folders] == [b"fma_small"]
    clip = world.store.track(TrackId("clip"))
    assert clip is not None
    assert (clip.title, clip.imported, clip.tags_version) == ("Clip", None, 0)
    assert (clip.tags.licence, clip.tags.dataset, clip.tags.external_ids, clip.tags.genres) == (
        None,
        None,
        (),
        (),
    )
    assert clip.has_audio


def test_nothing_of_it_is_listed_any_more(world: World) -> None:
    world.remove()
    assert not world.store.ids_with_vectors(FMA)
    assert not world.store.feature_sets()
    assert not world.store.find_tracks(["food"], sort=Sort(), limit=10).tracks
    assert not world.store.find_genres(sort=EntrySort(), limit=10).entries
    mine = world.store.track(TrackId("own"))
    assert mine == replace(make_track("own", title="Mine"), entry=mine.entry if mine else None)  # type: ignore[arg-type] # it is there


def test_a_removal_that_was_interrupted_is_continued_by_the_next(world: World) -> None:
    world.listen("Other")
    stop: Callable[[int, int], None] = lambda _done, _total: (_ for _ in ()).throw(KeyboardInterrupt)  # noqa: E731 - raises
    with pytest.raises(KeyboardInterrupt):
        world.remover.remove(progress=stop)
    done = world.remove()
    assert (done.removed, done.vanished, done.kept) == (1, 0, 0)
    assert set(world.tracks()) == {"Other", "Clip", "Mine"}
