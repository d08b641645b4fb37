"""Listens, profiles and erasures in MongoDB.

One document of ``listener`` has all about a user: the profile, and what is erased, with the user's
generation. Each listen has the generation in which it was added. So an erasure takes effect with one write,
however many listens there are: those that it hides are invisible from then on, and are deleted next. Adding
listens reads that document before and after, so that none is left that an erasure in between did not see.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from soundalike.domain.errors import StoreError
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen
from soundalike.domain.profiles import Profile
from soundalike.domain.taste import FOLD_VERSION
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.store.mongo.connection import Document, MongoConnection
from soundalike.store.mongo.encoding import to_text
from soundalike.store.mongo.erasures import (
    IS_ERASED,
    all_erased,
    delete_erased,
    erased_from,
    erased_of,
    erased_to_fields,
    visible,
)
from soundalike.store.mongo.errors import DUPLICATE_KEY
from soundalike.store.mongo.indexes import LISTEN, LISTENER, LISTENS_BY_USER
from soundalike.store.mongo.personal_documents import (
    listen_from_document,
    listen_to_document,
    profile_from_document,
    profile_to_document,
    user_id_from,
)
from soundalike.store.mongo.record import check_library

_log = logging.getLogger(__name__)

# So many listens are in memory at a time.
_BATCH = 1000
# So many are sent at once, that they are stored within the time-out of a command.
_MOST_AT_ONCE = 5000

_NO_PROFILE = {"$unset": {"profile": ""}}


class MongoListens:
    """The `ListenStore` port on a MongoDB database."""

    _connection: MongoConnection

    # Listens

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        """Insert listens of any users; return those that were new, in the order given; see the port."""
        if not listens:
            return ()
        users = {to_text(listen.user_id) for listen in listens}
        with self._connection.using() as database:
            before = erased_of(database, users)
            documents: dict[str, Document] = {}
            sent: list[Listen] = []
            for listen in listens:
                erased = before.get(to_text(listen.user_id), NOTHING_ERASED)
                stored = replace(listen, generation=erased.generation)
                document = listen_to_document(stored)
                if document["_id"] not in documents and not erased.hides(listen):
                    documents[document["_id"]] = document
                    sent.append(stored)
            known = _insert(database, list(documents.values()))
            new = [one for index, one in enumerate(sent) if index not in known]
            # An erasure in between did not see them.
            after = erased_of(database, {to_text(listen.user_id) for listen in new})
            delete_erased(database, {user: now for user, now in after.items() if now != before.get(user)})
            check_library(self._connection, database)
        if new:
            self._connection.last_failure.forget()
        return tuple(
            listen for listen in new if not after.get(to_text(listen.user_id), NOTHING_ERASED).hides(listen)
        )

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user by (`at_ms`, `id`), in bounded memory."""
        for document in self._connection.scan(
            LISTEN,
            self._visible(user_id),
            order=[("at_ms", 1), ("id", 1)],
            beyond=_after,
            fields=["generation", "at_ms", "id", "track", "kind", "position_ms"],
            batch=_BATCH,
        ):
            yield listen_from_document(user_id, document)

    def count_listens(self, user_id: UserId) -> int:
        """Count a user's listens."""
        return self.count_and_erased(user_id)[0]

    def count_and_erased(self, user_id: UserId) -> tuple[int, Erased]:
        """Return how many listens a user has, and what is erased of them, in one call."""
        user = to_text(user_id)
        with self._connection.using() as database:
            erased = _erased(database, user)
            return int(database[LISTEN].count_documents(visible(user, erased))), erased

    def _visible(self, user_id: UserId) -> Document:
        user = to_text(user_id)
        with self._connection.using() as database:
            return visible(user, _erased(database, user))

    def listen_counts(self) -> Mapping[UserId, int]:
        """Count the listens of every user who has any.

        Listens that were erased, but not deleted because the process was killed, are deleted first.
        """
        with self._connection.using(is_long=True) as database:
            erased = dict(all_erased(database, IS_ERASED))
            delete_erased(database, erased)
            counted = database[LISTEN].aggregate(
                [{"$group": {"_id": {"user": "$user", "generation": "$generation"}, "count": {"$sum": 1}}}],
                hint=LISTENS_BY_USER,
                allowDiskUse=True,
            )
            return {
                user_id_from(group["_id"]["user"]): int(group["count"])
                for group in counted
                if group["_id"]["generation"] == erased.get(group["_id"]["user"], NOTHING_ERASED).generation
            }

    # Profiles

    def profile(self, user_id: UserId) -> Profile | None:
        """Return a user's profile, or None; one made by another version of folding counts as None.

        A damaged one is removed and logged: it can be folded again from the listens, while an error would
        lock its user out for good.
        """
        found = self._find_profile(user_id, "profile")
        if found is None:
            return None
        stored = found["profile"]
        try:
            return profile_from_document(user_id, erased_from(found), stored)
        except StoreError as error:
            _log.warning("the profile of %r is removed, to be folded again: %s", user_id, error)
        this_one = {"_id": to_text(user_id)} | {f"profile.{name}": value for name, value in stored.items()}
        with self._connection.using() as database:
            database[LISTENER].update_one(this_one, {"$unset": {"profile": ""}})
        return None

    def profile_version(self, user_id: UserId) -> ProfileVersion | None:
        """Return the version of the profile that `profile` would return, without reading it whole."""
        found = self._find_profile(user_id, "profile.version")
        return None if found is None else ProfileVersion(found["profile"].get("version", ""))

    def _find_profile(self, user_id: UserId, field: str) -> Document | None:
        query = {"_id": to_text(user_id), "profile.fold": FOLD_VERSION}
        with self._connection.using() as database:
            return database[LISTENER].find_one(query, [field, *erased_to_fields(NOTHING_ERASED)])

    def profile_counts(self) -> Mapping[UserId, int]:
        """Return from how many listens each stored profile is made."""
        fields = {"profile.count": True}
        with self._connection.using() as database:
            found = list(database[LISTENER].find({"profile.fold": FOLD_VERSION}, fields))
        # A damaged count is left out, so that its profile is folded again.
        return {
            user_id_from(one["_id"]): int(one["profile"]["count"])
            for one in found
            if isinstance(one["profile"].get("count"), int)
        }

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        """Store a profile in place of the version it was made from, None for none; see the port."""
        stored = profile_to_document(profile)
        user = to_text(profile.user_id)
        expected: Document = {"profile.fold": FOLD_VERSION, "profile.version": replacing}
        if replacing is None:
            expected = {"profile.fold": {"$ne": FOLD_VERSION}}
        with self._connection.using() as database:
            saved = database[LISTENER].update_one(
                {"_id": user, **erased_to_fields(profile.erased), **expected}, {"$set": {"profile": stored}}
            )
            if saved.matched_count or replacing is not None or profile.erased != NOTHING_ERASED:
                return bool(saved.matched_count)
            try:
                database[LISTENER].insert_one({"_id": user, "profile": stored})
            except DuplicateKeyError:  # there is another profile, or an erasure
                return False
        return True

    # Erasures

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Store an erasure, and remove the user's profile and the listens that it hides; see the port."""
        user = to_text(erasure.user_id)
        with self._connection.using() as database:
            with suppress(DuplicateKeyError):  # the user has a document already
                database[LISTENER].insert_one({"_id": user})
            before = _erased(database, user)
            while not _save_erased(database, user, before, before.after(erasure, is_total=is_total)):
                before = _erased(database, user)
        after = before.after(erasure, is_total=is_total)
        with self._connection.using(is_long=True) as database:
            if is_total and after.generation == before.generation:
                # No new generation hides them; whoever sends a total erasure again completes it.
                database[LISTEN].delete_many({"user": user})
                database[LISTENER].update_one({"_id": user}, _NO_PROFILE)
            delete_erased(database, {user: after})
            check_library(self._connection, database)

    def lower_mark(self, erasure: Erasure) -> None:
        """Let no date after an erasure's hide listens that are added from now on; see the port."""
        user = to_text(erasure.user_id)
        with self._connection.using(is_long=True) as database:
            before = _erased(database, user)
            while before.lowered(erasure) != before:
                # What it hides may not be deleted yet, if the process that erased it was killed.
                delete_erased(database, {user: before})
                if _save_erased(database, user, before, before.lowered(erasure)):
                    return
                before = _erased(database, user)

    def erased(self, user_id: UserId) -> Erased:
        """Return what is erased of a user, and which generation they are in."""
        with self._connection.using() as database:
            return _erased(database, to_text(user_id))

    def erasures(self) -> tuple[Erasure, ...]:
        """Return the erasures of all users, by user."""
        with self._connection.using() as database:
            found = {user_id_from(user): one for user, one in all_erased(database, IS_ERASED)}
        return tuple(one for user_id in sorted(found) for one in found[user_id].erasures(user_id))


def _erased(database: Database[Document], user: str) -> Erased:
    return erased_of(database, [user]).get(user, NOTHING_ERASED)


def _save_erased(database: Database[Document], user: str, before: Erased, after: Erased) -> bool:
    """Save what is erased of a user, and remove their profile, which belongs to what was erased before.

    Nothing is changed, and False returned, if something else is stored by now.
    """
    if after == before:
        return True
    expected = {"_id": user, **erased_to_fields(before)}
    change = {"$set": erased_to_fields(after), **_NO_PROFILE}
    return bool(database[LISTENER].update_one(expected, change).matched_count)


def _insert(database: Database[Document], documents: Sequence[Document]) -> set[int]:
    """Insert listens; return the indexes of those that were already stored.

    If the connection was lost and the driver sent them again, those of the first attempt may count as
    already stored, as they do when a client sends them again.
    """
    known: set[int] = set()
    for start in range(0, len(documents), _MOST_AT_ONCE):
        try:
            database[LISTEN].insert_many(documents[start : start + _MOST_AT_ONCE], ordered=False)
        except BulkWriteError as error:
            failures = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(one["code"] != DUPLICATE_KEY for one in failures):
                raise
            known.update(start + one["index"] for one in failures)
    return known


def _after(document: Document) -> Document:
    at_ms = document["at_ms"]
    return {
        "at_ms": {"$gte": at_ms},
        "$or": [{"at_ms": {"$gt": at_ms}}, {"id": {"$gt": document["id"]}}],
    }
