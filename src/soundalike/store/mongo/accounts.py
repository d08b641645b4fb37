"""Accounts and their credentials in MongoDB."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.times import to_ms
from soundalike.domain.types import UserId
from soundalike.domain.users import Credential, EndedSession, User, account_key
from soundalike.store.errors import name_taken
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.encoding import to_text
from soundalike.store.mongo.indexes import CREDENTIAL, ENDED_SESSION, KEY, LIBRARY, NAME, USER
from soundalike.store.mongo.personal_documents import (
    credential_from_document,
    credential_to_document,
    ended_session_from_document,
    ended_session_to_document,
    user_from_document,
    user_to_document,
)
from soundalike.store.mongo.record import check_library

_BATCH = 500


class MongoAccounts:
    """The `AccountStore` port on a MongoDB database.

    Names are also stored in a collection of their own, as ``_id``, so that each belongs to one account.
    """

    _connection: MongoConnection

    # Accounts

    def has_users(self) -> bool:
        """Whether there is any account; asked at every request."""
        with self._connection.using() as database:
            has_any = database[USER].find_one({}, ["_id"]) is not None
            if not has_any:  # a dropped database has none either, and without accounts nobody has to log in
                check_library(self._connection, database)
            return has_any

    def users(self) -> tuple[User, ...]:
        """Return every account, by `account_key`."""
        with self._connection.using() as database:
            found = list(database[USER].find())
        return tuple(sorted(map(user_from_document, found), key=lambda user: account_key(user.name)))

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""
        return self._user(to_text(user_id))

    def user_named(self, name: str) -> User | None:
        """Return the account with this name, in upper or lower case, or None."""
        with self._connection.using() as database:
            owner = database[NAME].find_one({"_id": to_text(account_key(name))})
        return None if owner is None else self._user(owner["user"])

    def _user(self, key: str) -> User | None:
        with self._connection.using() as database:
            found = database[USER].find_one({"_id": key})
        return None if found is None else user_from_document(found)

    def add_user(self, user: User) -> None:
        """Insert an account.

        Raises
        ------
        NameTakenError
            If another account has its name (by `account_key`) or its id.
        """
        document = user_to_document(user)

        def add(database: Database[Document], session: ClientSession) -> bool:
            name = {"_id": document["name_key"]}
            is_taken = (
                database[NAME].find_one(name, session=session) is not None
                or database[USER].find_one({"_id": document["_id"]}, ["_id"], session=session) is not None
            )
            if not is_taken:
                check_library(self._connection, database, session)
                database[NAME].insert_one(name | {"user": document["_id"]}, session=session)
                database[USER].insert_one(document, session=session)
            return not is_taken

        if not self._connection.transaction(add):
            raise name_taken(user.name)

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        """Replace the password of an account; False if there is none."""
        change = {"$set": {"password_hash": to_text(password_hash)}}
        with self._connection.using() as database:
            return bool(database[USER].update_one({"_id": to_text(user_id)}, change).matched_count)

    def save_admin(self, user_id: UserId, *, is_admin: bool) -> bool:
        """Say whether an account is an administrator's; False if there is none."""
        change = {"$set": {"is_admin": is_admin}}
        with self._connection.using() as database:
            return bool(database[USER].update_one({"_id": to_text(user_id)}, change).matched_count)

    def save_advised(self, user_id: UserId) -> bool:
        """Note that the user of an account has been advised; False if there is none."""
        change = {"$set": {"is_advised": True}}
        with self._connection.using() as database:
            return bool(database[USER].update_one({"_id": to_text(user_id)}, change).matched_count)

    def remove_user(self, user_id: UserId) -> bool:
        """Remove an account and what belongs to it, but no listens; False if there is none; see the port."""
        key = to_text(user_id)

        def remove(database: Database[Document], session: ClientSession) -> bool:
            for name in (CREDENTIAL, ENDED_SESSION):
                database[name].delete_many({"user": key}, session=session)
            stored = database[USER].find_one({"_id": key}, ["name_key"], session=session)
            if stored is None:
                return False
            database[NAME].delete_one({"_id": stored["name_key"]}, session=session)
            database[USER].delete_one({"_id": key}, session=session)
            # Of two removals at once, the second sees the first: they write the same document.
            database[LIBRARY].update_one({"_id": KEY}, {"$inc": {"removed_accounts": 1}}, session=session)
            if database[USER].find_one({"is_admin": True}, ["_id"], session=session) is None:
                left = database[USER].find({}, ["created_ms"], session=session)
                first = min(left, key=lambda one: (one["created_ms"], one["_id"]), default={"_id": None})
                database[USER].update_one(
                    {"_id": first["_id"]}, {"$set": {"is_admin": True}}, session=session
                )
            return True

        return self._connection.transaction(remove)

    # Credentials

    def add_credential(self, credential: Credential) -> None:
        """Insert a credential."""
        with self._connection.using() as database:
            database[CREDENTIAL].insert_one(credential_to_document(credential))

    def credentials_of(self, user_id: UserId) -> tuple[Credential, ...]:
        """Return a user's credentials by (`created_at`, `id`)."""
        found = self._credentials({"user": to_text(user_id)})
        return tuple(sorted(found, key=lambda one: (one.created_at, one.id, one.secret_hash or "")))

    def credential_hashed(self, secret_hash: str) -> Credential | None:
        """Return the credential whose secret has this hash, or None."""
        return next(iter(self._credentials({"_id": to_text(secret_hash)})), None)

    def _credentials(self, query: Mapping[str, Any]) -> tuple[Credential, ...]:
        with self._connection.using() as database:
            found = list(database[CREDENTIAL].find(query))
        return tuple(map(credential_from_document, found))

    def remove_credential(self, user_id: UserId, credential_id: str) -> bool:
        """Remove a credential of a user; False if they have none with this id."""
        query = {"user": to_text(user_id), "id": to_text(credential_id)}
        with self._connection.using() as database:
            return database[CREDENTIAL].delete_many(query).deleted_count > 0

    # Ended sessions

    def add_ended_session(self, ended: EndedSession) -> None:
        """Insert an ended session, unless it is there or its account is not."""
        document = ended_session_to_document(ended)

        def add(database: Database[Document], session: ClientSession) -> None:
            # Writing the account makes this conflict with a removal of it at the same time.
            counted = {"$inc": {"ended_sessions": 1}}
            if database[USER].update_one({"_id": document["user"]}, counted, session=session).matched_count:
                database[ENDED_SESSION].update_one(
                    {"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True, session=session
                )

        self._connection.transaction(add)

    def is_session_ended(self, digest: str) -> bool:
        """Whether a session is stored as ended."""
        with self._connection.using() as database:
            return database[ENDED_SESSION].find_one({"_id": to_text(digest)}, ["_id"]) is not None

    def ended_sessions(self) -> Iterator[EndedSession]:
        """Yield every ended session by `digest`, in bounded memory."""
        found = self._connection.scan(ENDED_SESSION, {}, order=BY_ID, beyond=after_id, batch=_BATCH)
        return map(ended_session_from_document, found)

    def forget_ended_sessions(self, now: datetime) -> None:
        """Remove the ended sessions whose `expires_at` is not after a time."""
        with self._connection.using() as database:
            database[ENDED_SESSION].delete_many({"expires_ms": {"$lte": to_ms(now)}})
