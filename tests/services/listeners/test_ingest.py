"""Listens are accepted all or none, and counted."""

import pytest

from making import make_listen, make_track
from services.listeners.folding import ADA, FIVE_MINUTES_MS, NOW, NOW_MS, some
from soundalike.domain.errors import AheadOfClockError, MissingTracksError, UnknownGenerationError
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.types import TrackId
from soundalike.services.listeners.ingest import ListenIngest, Receipt
from soundalike.services.listeners.profiles import Profiles


class TestTaking:
    def test_ingested_listens_are_stored_and_folded(
        self, store: Store, listens: ListenIngest, profiles: Profiles
    ) -> None:
        assert listens.ingest(ADA, some(3)) == Receipt(accepted=3, duplicates=0)
        assert list(store.listens_of(ADA)) == some(3)
        assert profiles.of(ADA).taste.count == 3

    def test_an_empty_list_is_accepted(self, listens: ListenIngest) -> None:
        assert listens.ingest(ADA, []) == Receipt(accepted=0, duplicates=0)

    def test_sent_twice_counts_once(self, listens: ListenIngest, profiles: Profiles) -> None:
        listens.ingest(ADA, some(3))
        assert listens.ingest(ADA, some(5)) == Receipt(accepted=2, duplicates=3)
        assert listens.ingest(ADA, some(5) * 2) == Receipt(accepted=0, duplicates=10)
        assert profiles.of(ADA).taste.count == 5

    def test_the_first_content_wins(self, store: Store, listens: ListenIngest, profiles: Profiles) -> None:
        first = make_listen(1, kind="liked", at_ms=NOW_MS)
        other = make_listen(1, kind="disliked", at_ms=NOW_MS + 1)
        assert listens.ingest(ADA, [first, other]) == Receipt(accepted=1, duplicates=1)
        assert listens.ingest(ADA, [other]) == Receipt(accepted=0, duplicates=1)
        assert list(store.listens_of(ADA)) == [first]
        assert profiles.of(ADA).taste.tracks[TrackId("t1")].disliked_ms is None

    def test_a_vanished_track_is_known(self, store: Store, listens: ListenIngest) -> None:
        store.mark_vanished([TrackId("t1")], 0)
        assert listens.ingest(ADA, some(1)).accepted == 1

    @pytest.mark.parametrize("indexes", [(0,), (2,), (1, 3, 4), (0, 1, 2, 3, 4)])
    def test_tracks_that_are_not_here_are_named_by_index_and_nothing_is_ingested(
        self, store: Store, listens: ListenIngest, indexes: tuple[int, ...]
    ) -> None:
        sent = [
            make_listen(n, track_id="\ud800 who?" if n in indexes else "t1", at_ms=NOW_MS) for n in range(5)
        ]
        with pytest.raises(MissingTracksError, match=r"^there is no track with the id ") as caught:
            listens.ingest(ADA, sent)
        assert caught.value.indexes == indexes
        assert str(caught.value).isprintable()
        assert list(store.listens_of(ADA)) == []

    def test_a_track_that_comes_back_is_listened_to(self, store: Store, listens: ListenIngest) -> None:
        with pytest.raises(MissingTracksError):
            listens.ingest(ADA, [make_listen(1, track_id="t9", at_ms=NOW_MS)])
        store.save_track(make_track("t9"))
        assert listens.ingest(ADA, [make_listen(1, track_id="t9", at_ms=NOW_MS)]).accepted == 1

    def test_what_is_hidden_needs_no_track(self, store: Store, listens: ListenIngest) -> None:
        store.erase_listens(Erasure(ADA, NOW_MS - 1, 1))
        sent = [
            make_listen(1, track_id="t9", at_ms=NOW_MS, generation=0),
            make_listen(2, at_ms=NOW_MS, generation=1),
        ]
        assert listens.ingest(ADA, sent) == Receipt(accepted=1, hidden=1, generation=1)

    def test_a_clock_may_be_at_most_five_minutes_ahead(self, store: Store, listens: ListenIngest) -> None:
        at = {1: FIVE_MINUTES_MS, 2: FIVE_MINUTES_MS + 1, 3: 0, 4: 2 * FIVE_MINUTES_MS}
        sent = [make_listen(number, at_ms=NOW_MS + ms) for number, ms in at.items()]
        with pytest.raises(AheadOfClockError) as caught:
            listens.ingest(ADA, sent)
        assert (caught.value.indexes, caught.value.server_time) == ((1, 3), NOW)
        assert list(store.listens_of(ADA)) == []
        assert listens.ingest(ADA, [sent[0], sent[2]]).accepted == 2

    def test_the_generation_is_checked_before_the_track_and_the_track_before_the_date(
        self, listens: ListenIngest
    ) -> None:
        sent = [
            make_listen(6, at_ms=2 * NOW_MS),
            make_listen(7, at_ms=2 * NOW_MS, track_id="who?"),
            make_listen(8, at_ms=2 * NOW_MS, track_id="who?", generation=1),
        ]
        for kind in (UnknownGenerationError, MissingTracksError, AheadOfClockError):
            with pytest.raises(kind) as caught:
                listens.ingest(ADA, sent)
            assert caught.value.indexes == (len(sent) - 1,)
            sent.pop()

    def test_an_old_listen_counts(self, listens: ListenIngest, profiles: Profiles) -> None:
        listens.ingest(ADA, some(1))
        listens.ingest(ADA, [make_listen(9, at_ms=0, kind="liked", track_id="t2")])
        assert profiles.of(ADA).taste.tracks[TrackId("t2")].liked_ms == 0
