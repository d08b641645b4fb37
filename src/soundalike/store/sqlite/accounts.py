"""Accounts and their credentials in SQLite."""
# ruff: noqa: S608 - only constants are inserted into statements

from collections.abc import Iterator
from datetime import datetime

from soundalike.domain.times import to_ms
from soundalike.domain.types import UserId
from soundalike.domain.users import Credential, EndedSession, User, account_key
from soundalike.store.errors import name_taken
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.personal_rows import (
    CREDENTIAL_COLUMNS,
    ENDED_SESSION_COLUMNS,
    USER_COLUMNS,
    credential_from_row,
    credential_to_row,
    ended_session_from_row,
    ended_session_to_row,
    user_from_row,
    user_to_row,
)
from soundalike.store.sqlite.rows import Text, to_text
from soundalike.store.sqlite.scrubbing import ACCOUNTS, Scrubber

_BATCH = 500


class SqliteAccounts:
    """The `AccountStore` port on one SQLite file."""

    _connections: Connections
    _scrubber: Scrubber

    # Accounts

    def has_users(self) -> bool:
        """Whether there is any account; asked at every request."""
        with self._connections.reading() as connection:
            return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM user)").fetchone()[0])

    def users(self) -> tuple[User, ...]:
        """Return every account, by `account_key`."""
        return tuple(sorted(self._users(""), key=lambda user: account_key(user.name)))

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""
        return next(iter(self._users("WHERE id = ?", user_id)), None)

    def user_named(self, name: str) -> User | None:
        """Return the account with this name, in upper or lower case, or None."""
        return next(iter(self._users("WHERE name_key = ?", account_key(name))), None)

    def _users(self, where: str, *values: str) -> tuple[User, ...]:
        with self._connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {USER_COLUMNS} FROM user {where}", tuple(map(to_text, values))
            ).fetchall()
        return tuple(map(user_from_row, rows))

    def add_user(self, user: User) -> None:
        """Insert an account.

        Raises
        ------
        NameTakenError
            If another account has its name (by `account_key`) or its id.
        """
        with self._connections.writing() as connection:
            added = connection.execute(
                f"INSERT INTO user ({USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                user_to_row(user),
            )
            if not added.rowcount:
                raise name_taken(user.name)

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        """Replace the password of an account; False if there is none."""
        sql = "UPDATE user SET password_hash = ? WHERE id = ?"
        with self._scrubber.erasing(ACCOUNTS) as connection:
            return connection.execute(sql, (to_text(password_hash), to_text(user_id))).rowcount > 0

    def save_admin(self, user_id: UserId, *, is_admin: bool) -> bool:
        """Say whether an account is an administrator's; False if there is none."""
        return self._change("UPDATE user SET is_admin = ? WHERE id = ?", is_admin, to_text(user_id))

    def save_advised(self, user_id: UserId) -> bool:
        """Note that the user of an account has been advised; False if there is none."""
        return self._change("UPDATE user SET is_advised = 1 WHERE id = ?", to_text(user_id))

    def remove_user(self, user_id: UserId) -> bool:
        """Remove an account and what belongs to it, but no listens; False if there is none; see the port."""
        user = to_text(user_id)
        with self._scrubber.erasing(ACCOUNTS) as connection:
            self._connections.delete_backup()
            connection.execute("DELETE FROM credential WHERE user = ?", (user,))
            connection.execute("DELETE FROM ended_session WHERE user = ?", (user,))
            if not connection.execute("DELETE FROM user WHERE id = ?", (user,)).rowcount:
                return False
            connection.execute(
                "UPDATE user SET is_admin = 1 WHERE NOT EXISTS (SELECT 1 FROM user WHERE is_admin)"
                " AND id = (SELECT id FROM user ORDER BY created_ms, CAST(id AS BLOB) LIMIT 1)"
            )
        return True

    # Credentials

    def add_credential(self, credential: Credential) -> None:
        """Insert a credential."""
        with self._connections.writing() as connection:
            connection.execute(
                f"INSERT INTO credential ({CREDENTIAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                credential_to_row(credential),
            )

    def credentials_of(self, user_id: UserId) -> tuple[Credential, ...]:
        """Return a user's credentials by (`created_at`, `id`)."""
        return tuple(
            sorted(
                self._credentials("user = ?", user_id),
                key=lambda one: (one.created_at, one.id, one.secret_hash or ""),
            )
        )

    def credential_hashed(self, secret_hash: str) -> Credential | None:
        """Return the credential whose secret has this hash, or None."""
        return next(iter(self._credentials("secret_hash = ?", secret_hash)), None)

    def _credentials(self, where: str, value: str) -> tuple[Credential, ...]:
        with self._connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {CREDENTIAL_COLUMNS} FROM credential WHERE {where}", (to_text(value),)
            ).fetchall()
        return tuple(map(credential_from_row, rows))

    def remove_credential(self, user_id: UserId, credential_id: str) -> bool:
        """Remove a credential of a user; False if they have none with this id."""
        sql = "DELETE FROM credential WHERE user = ? AND id = ?"
        with self._scrubber.erasing(ACCOUNTS) as connection:
            is_removed = connection.execute(sql, (to_text(user_id), to_text(credential_id))).rowcount > 0
            if is_removed:
                self._connections.delete_backup()
        return is_removed

    # Ended sessions

    def add_ended_session(self, ended: EndedSession) -> None:
        """Insert an ended session, unless it is there or its account is not."""
        with self._connections.writing(is_durable=True) as connection:
            connection.execute(
                f"INSERT INTO ended_session ({ENDED_SESSION_COLUMNS})"
                " SELECT ?1, id, ?3 FROM user WHERE id = ?2 ON CONFLICT DO NOTHING",
                ended_session_to_row(ended),
            )

    def is_session_ended(self, digest: str) -> bool:
        """Whether a session is stored as ended."""
        question = "SELECT EXISTS (SELECT 1 FROM ended_session WHERE digest = ?)"
        with self._connections.reading() as connection:
            return bool(connection.execute(question, (to_text(digest),)).fetchone()[0])

    def ended_sessions(self) -> Iterator[EndedSession]:
        """Yield every ended session by `digest`, in bounded memory."""
        beyond: Text = ""
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT {ENDED_SESSION_COLUMNS} FROM ended_session"
                    " WHERE digest > ? ORDER BY digest LIMIT ?",
                    (beyond, _BATCH),
                ).fetchall()
            yield from map(ended_session_from_row, rows)
            if len(rows) < _BATCH:
                return
            beyond = rows[-1][0]

    def forget_ended_sessions(self, now: datetime) -> None:
        """Remove the ended sessions whose `expires_at` is not after a time."""
        self._change("DELETE FROM ended_session WHERE expires_ms <= ?", to_ms(now))

    def _change(self, sql: str, *values: Text | int) -> bool:
        """Change rows; return whether there were any."""
        with self._connections.writing() as connection:
            return connection.execute(sql, values).rowcount > 0
