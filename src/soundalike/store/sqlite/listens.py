"""Listens, profiles and erasures in SQLite."""
# ruff: noqa: S608 - only constants are inserted into statements

import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter

from soundalike.domain.errors import StoreError
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen
from soundalike.domain.profiles import Profile
from soundalike.domain.taste import FOLD_VERSION
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.personal_rows import (
    ERASURE_COLUMNS,
    LISTEN_COLUMNS,
    PROFILE_COLUMNS,
    erased_from_row,
    erased_to_row,
    listen_to_row,
    listens_from_rows,
    profile_from_row,
    profile_to_row,
    user_counts,
)
from soundalike.store.sqlite.rows import Text, to_text
from soundalike.store.sqlite.scrubbing import LISTENERS, Scrubber

_log = logging.getLogger(__name__)

# So many rows are read at a time, so that no transaction is open while the caller works.
_BATCH = 1000

_OF_USER = "WHERE user = ? AND fold = ?"


class SqliteListens:
    """The `ListenStore` port on one SQLite file."""

    _connections: Connections
    _scrubber: Scrubber

    # Listens

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        """Insert listens of any users; return those that were new, in the order given; see the port."""
        if not listens:
            return ()
        insert = f"INSERT INTO listen ({LISTEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        with self._connections.writing(is_durable=True) as connection:
            execute = connection.cursor().execute
            return tuple(
                listen if listen.generation == generation else replace(listen, generation=generation)
                for listen, generation in _not_erased(connection, listens)
                if execute(insert, listen_to_row(listen)).rowcount
            )

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user by (`at_ms`, `id`), in bounded memory."""
        user = to_text(user_id)
        beyond: tuple[int | Text, ...] = ()
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT {LISTEN_COLUMNS} FROM listen WHERE user = ?"
                    f"{' AND (at_ms, id) > (?, ?)' if beyond else ''} ORDER BY at_ms, id LIMIT ?",
                    (user, *beyond, _BATCH),
                ).fetchall()
                # An erasure deletes what is of earlier generations: all that is there is of this one.
                generation = _erased(connection, user_id).generation
            yield from listens_from_rows(user_id, generation, rows)
            if len(rows) < _BATCH:
                return
            beyond = rows[-1][1:3]

    def count_listens(self, user_id: UserId) -> int:
        """Count a user's listens."""
        return self.count_and_erased(user_id)[0]

    def count_and_erased(self, user_id: UserId) -> tuple[int, Erased]:
        """Return how many listens a user has, and what is erased of them, in one call."""
        with self._connections.reading() as connection:
            row = connection.execute("SELECT count(*) FROM listen WHERE user = ?", (to_text(user_id),))
            return int(row.fetchone()[0]), _erased(connection, user_id)

    def listen_counts(self) -> Mapping[UserId, int]:
        """Count the listens of every user who has any."""
        with self._connections.reading() as connection:
            rows = connection.execute("SELECT user, count(*) FROM listen GROUP BY user").fetchall()
        return user_counts(rows)

    # Profiles

    def profile(self, user_id: UserId) -> Profile | None:
        """Return a user's profile, or None; one made by another version of folding counts as None.

        A damaged one is removed and logged: it can be folded again from the listens, while an error would
        lock its user out for good.
        """
        key = (to_text(user_id), FOLD_VERSION)
        with self._connections.reading() as connection:
            row = connection.execute(f"SELECT version, body FROM profile {_OF_USER}", key).fetchone()
            erased = _erased(connection, user_id)
        if row is None:
            return None
        try:
            return profile_from_row(user_id, erased, row)
        except StoreError as error:
            _log.warning("the profile of %r is removed, to be folded again: %s", user_id, error)
        with self._connections.writing() as connection:
            connection.execute(f"DELETE FROM profile {_OF_USER} AND version = ? AND body = ?", (*key, *row))
        return None

    def profile_version(self, user_id: UserId) -> ProfileVersion | None:
        """Return the version of the profile that `profile` would return, without reading it whole."""
        with self._connections.reading() as connection:
            return _version(connection, user_id)

    def profile_counts(self) -> Mapping[UserId, int]:
        """Return from how many listens each stored profile is made."""
        with self._connections.reading() as connection:
            # A damaged count is left out, so that its profile is folded again.
            rows = connection.execute(
                "SELECT user, count FROM profile WHERE fold = ? AND typeof(count) = 'integer'",
                (FOLD_VERSION,),
            ).fetchall()
        return user_counts(rows)

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        """Store a profile in place of the version it was made from, None for none; see the port."""
        row = profile_to_row(profile)
        with self._connections.writing() as connection:
            if (
                _version(connection, profile.user_id) != replacing
                or _erased(connection, profile.user_id) != profile.erased
            ):
                return False
            connection.execute(
                f"INSERT OR REPLACE INTO profile ({PROFILE_COLUMNS}) VALUES (?, ?, ?, ?, ?)", row
            )
        return True

    # Erasures

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Store an erasure, and remove the user's profile and the listens that it hides; see the port."""
        user_id, user = erasure.user_id, to_text(erasure.user_id)
        with self._scrubber.erasing(LISTENERS, is_durable=True) as connection:
            before = _erased(connection, user_id)
            after = before.after(erasure, is_total=is_total)
            is_emptied = before.is_emptied_by(erasure, is_total=is_total)
            if after == before and not is_emptied:
                return
            self._connections.delete_backup()  # first: a repeated erasure would not come here again
            _save_erased(connection, user_id, after)
            connection.execute(
                "DELETE FROM listen WHERE user = ? AND (at_ms <= ? OR ?)", (user, after.dated_ms, is_emptied)
            )

    def lower_mark(self, erasure: Erasure) -> None:
        """Let no date after an erasure's hide listens that are added from now on; see the port."""
        user_id = erasure.user_id
        with self._connections.writing(is_durable=True) as connection:
            before = _erased(connection, user_id)
            after = before.lowered(erasure)
            if after != before:
                _save_erased(connection, user_id, after)

    def erased(self, user_id: UserId) -> Erased:
        """Return what is erased of a user, and which generation they are in."""
        with self._connections.reading() as connection:
            return _erased(connection, user_id)

    def erasures(self) -> tuple[Erasure, ...]:
        """Return the erasures of all users, by user."""
        with self._connections.reading() as connection:
            rows = connection.execute(f"SELECT {ERASURE_COLUMNS} FROM erasure").fetchall()
        found = sorted(map(erased_from_row, rows), key=itemgetter(0))
        return tuple(erasure for user_id, erased in found for erasure in erased.erasures(user_id))


def _not_erased(connection: sqlite3.Connection, listens: Iterable[Listen]) -> Iterator[tuple[Listen, int]]:
    """Yield the listens that are not erased, each with the generation in which it belongs."""
    known: dict[UserId, Erased] = {}
    for listen in listens:
        user_id = listen.user_id
        if user_id not in known:
            known[user_id] = _erased(connection, user_id)
        erased = known[user_id]
        if not erased.hides(listen):
            yield listen, erased.generation


def _erased(connection: sqlite3.Connection, user_id: UserId) -> Erased:
    row = connection.execute(
        f"SELECT {ERASURE_COLUMNS} FROM erasure WHERE user = ?", (to_text(user_id),)
    ).fetchone()
    return NOTHING_ERASED if row is None else erased_from_row(row)[1]


def _save_erased(connection: sqlite3.Connection, user_id: UserId, erased: Erased) -> None:
    """Save what is erased of a user, and remove their profile, which belongs to what was erased before."""
    row = erased_to_row(user_id, erased)
    connection.execute(f"INSERT OR REPLACE INTO erasure ({ERASURE_COLUMNS}) VALUES (?, ?, ?, ?)", row)
    connection.execute("DELETE FROM profile WHERE user = ?", (to_text(user_id),))


def _version(connection: sqlite3.Connection, user_id: UserId) -> ProfileVersion | None:
    key = (to_text(user_id), FOLD_VERSION)
    row = connection.execute(f"SELECT version FROM profile {_OF_USER}", key).fetchone()
    return None if row is None else ProfileVersion(row[0])
