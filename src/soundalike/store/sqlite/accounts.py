"""Accounts and their credentials in SQLite."""
# ruff: noqa: S608 - only constants are inserted into statements

from soundalike.domain.types import UserId
from soundalike.domain.users import Credential, User, account_key
from soundalike.store.errors import name_taken
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.personal_rows import (
    CREDENTIAL_COLUMNS,
    USER_COLUMNS,
    credential_from_row,
    credential_to_row,
    user_from_row,
    user_to_row,
)
from soundalike.store.sqlite.rows import Text, to_text


class SqliteAccounts:
    """The `AccountStore` port on one SQLite file."""

    _connections: Connections

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
                f"INSERT INTO user ({USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                user_to_row(user),
            )
            if not added.rowcount:
                raise name_taken(user.name)

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        """Replace the password of an account; False if there is none."""
        return self._change(
            "UPDATE user SET password_hash = ? WHERE id = ?", to_text(password_hash), to_text(user_id)
        )

    def save_admin(self, user_id: UserId, *, is_admin: bool) -> bool:
        """Say whether an account is an administrator's; False if there is none."""
        return self._change("UPDATE user SET is_admin = ? WHERE id = ?", is_admin, to_text(user_id))

    def remove_user(self, user_id: UserId) -> bool:
        """Remove an account and its credentials, but no listens; False if there is none; see the port."""
        user = to_text(user_id)
        with self._connections.writing() as connection:
            self._connections.delete_backup()
            connection.execute("DELETE FROM credential WHERE user = ?", (user,))
            if not connection.execute("DELETE FROM user WHERE id = ?", (user,)).rowcount:
                return False
            connection.execute(
                "UPDATE user SET is_admin = 1 WHERE NOT EXISTS (SELECT 1 FROM user WHERE is_admin)"
                " AND id = (SELECT id FROM user ORDER BY created_ms, CAST(id AS BLOB) LIMIT 1)"
            )
        self._connections.empty_journal()
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
        return self._change(
            "DELETE FROM credential WHERE user = ? AND id = ?", to_text(user_id), to_text(credential_id)
        )

    def _change(self, sql: str, *values: Text | bool) -> bool:
        """Change rows; return whether there were any."""
        with self._connections.writing() as connection:
            return connection.execute(sql, values).rowcount > 0
