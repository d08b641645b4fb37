"""Listens are accepted all or none, and counted."""

import pytest

from making import make_listen
from services.listeners.folding import ADA, FIVE_MINUTES_MS, NOW, NOW_MS, some
from soundalike.domain.errors import AheadOfClockError, ListenError, UnknownGenerationError
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

    @pytest.mark.parametrize("index", [0, 2, 4])
    def test_an_unknown_track_is_refused_with_its_index_and_nothing_is_ingested(
        self, store: Store, listens: ListenIngest, index: int
    ) -> None:
        sent = some(5)
        sent[index] = make_listen(99, track_id="\ud800 who?", at_ms=NOW_MS)
        with pytest.raises(ListenError, match=f"^event {index}: there is no track with the id ") as caught:
            listens.ingest(ADA, sent)
        assert caught.value.index == index
        assert str(caught.value).isprintable()
        assert list(store.listens_of(ADA)) == []

    def test_a_clock_may_be_at_most_five_minutes_ahead(self, store: Store, listens: ListenIngest) -> None:
        at = {1: FIVE_MINUTES_MS, 2: FIVE_MINUTES_MS + 1, 3: 0, 4: 2 * FIVE_MINUTES_MS}
        sent = [make_listen(number, at_ms=NOW_MS + ms) for number, ms in at.items()]
        with pytest.raises(AheadOfClockError) as caught:
            listens.ingest(ADA, sent)
        assert (caught.value.indexes, caught.value.server_time) == ((1, 3), NOW)
        assert list(store.listens_of(ADA)) == []
        assert listens.ingest(ADA, [sent[0], sent[2]]).accepted == 2

    def test_what_can_never_be_taken_is_named_first(self, listens: ListenIngest) -> None:
        sent = [
            make_listen(6, at_ms=NOW_MS, generation=1),
            make_listen(7, at_ms=2 * NOW_MS),
            make_listen(8, track_id="who?"),
        ]
        with pytest.raises(ListenError) as caught:
            listens.ingest(ADA, sent)
        assert caught.value.index == 2
        with pytest.raises(UnknownGenerationError) as unknown:
            listens.ingest(ADA, sent[:2])
        assert unknown.value.indexes == (0,)
        with pytest.raises(AheadOfClockError) as ahead:
            listens.ingest(ADA, sent[1:2])
        assert ahead.value.indexes == (0,)

    def test_an_old_listen_counts(self, listens: ListenIngest, profiles: Profiles) -> None:
        listens.ingest(ADA, some(1))
        listens.ingest(ADA, [make_listen(9, at_ms=0, kind="liked", track_id="t2")])
        assert profiles.of(ADA).taste.tracks[TrackId("t2")].liked_ms == 0
