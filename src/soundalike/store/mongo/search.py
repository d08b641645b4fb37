"""Pages of the tracks that match words and a filter, from the MongoDB store's indexes."""

from collections.abc import Sequence

from pymongo.database import Database

from soundalike.domain.tracks import Position, Sort, TrackFilter, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.keys import narrowing_words
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import KEYS, TRACK_FIELDS, track_from_document
from soundalike.store.mongo.encoding import from_text, prefix_range, to_text
from soundalike.store.mongo.indexes import TRACK
from soundalike.store.mongo.paging import Condition, Slice, read_page


def find_tracks(  # noqa: PLR0913 - the parts of a question, by name
    database: Database[Document],
    words: Sequence[str],
    *,
    sort: Sort,
    limit: int,
    after: Position | None,
    offset: int,
    only: TrackFilter,
) -> TrackPage:
    """Return a page of the tracks that are there, match every word and meet a filter."""
    key = KEYS[sort.field]
    wanted = Slice(
        is_descending=sort.is_descending,
        after=None if after is None else (after.key, after.track_id),
        offset=offset,
        limit=limit,
    )
    page, total, last = read_page(database[TRACK], _match(words, only), key, wanted, TRACK_FIELDS)
    return TrackPage(
        tracks=tuple(map(track_from_document, page)),
        total=total,
        next=None
        if last is None
        else Position(key.value(last, is_descending=sort.is_descending), TrackId(from_text(last["_id"]))),
    )


def _match(words: Sequence[str], only: TrackFilter) -> Condition:
    """Return the condition of tracks that are there, have a word that begins with each, and meet a filter."""
    asked = {
        "album_id": only.album,
        "credited_ids": only.artist,
        "genre_ids": only.genre,
        "has_file": only.is_playable or None,
    }
    match: dict[str, object] = {"is_there": True}
    for field, value in asked.items():
        if value is not None:
            match[field] = to_text(value) if isinstance(value, str) else value
    conditions: list[Condition] = [
        {"words": {"$elemMatch": prefix_range(to_text(word))}} for word in narrowing_words(words)
    ]
    if only.hides_duplicates:
        named = [to_text(one) for one in (only.artist, only.genre) if one is not None]
        of_those = [{"preferred_for": {"$all": named}}] if named else []
        conditions.append({"$or": [{"is_preferred": True}, *of_those]})
    return match | {"$and": conditions} if conditions else match
