"""The ports of listeners: what stores listens, profiles and accounts, and the event log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from soundalike.domain.listens import Erasure, Listen, LogRecord
from soundalike.domain.profiles import Profile
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.domain.users import Token, User


class ListenStore(Protocol):
    """Stores listens, profiles and erasures; safe for several processes and threads at once.

    Every method but `add_listens` is atomic, and what it has stored survives a crash of the process.
    """

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        """Insert listens of any users; return those that were new, in the order given.

        Of two with the same user and id the first counts, whether it is stored already or comes earlier
        in `listens`. Listens at or before their user's erasure are left out. Once this returns, a power
        cut loses none of them; if it does not return, each is stored completely or not at all.
        """

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user by (`at_ms`, `id`), in bounded memory."""

    def count_listens(self, user_id: UserId) -> int:
        """Count a user's listens."""

    def listen_counts(self) -> Mapping[UserId, int]:
        """Count the listens of every user who has any."""

    def profile(self, user_id: UserId) -> Profile | None:
        """Return a user's profile, or None; one made by another version of folding counts as None."""

    def profile_version(self, user_id: UserId) -> ProfileVersion | None:
        """Return the version of the profile that `profile` would return, without reading it whole."""

    def profile_counts(self) -> Mapping[UserId, int]:
        """Return how many listens each stored profile is made of (`profile.taste.count`)."""

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        """Replace the version of a profile that this one was made from; None if there was none.

        Nothing is changed, and False returned, if another version is stored by now, or if
        `profile.erased_ms` is not the user's erasure. A stored profile for which `profile` returns None
        counts as None.
        """

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Store an erasure, and remove the user's profile and their listens up to it.

        The latest erasure of a user counts: one that is no later than the stored one changes nothing.
        A total one also removes listens that are dated later, as a fast clock dates them. Once this
        returns, a power cut does not undo it.
        """

    def erased_ms(self, user_id: UserId) -> int | None:
        """Return the time (ms since 1970, UTC) up to which a user's listens are erased, or None."""

    def erasures(self) -> tuple[Erasure, ...]:
        """Return the erasure of every user who has one, by user."""


class AccountStore(Protocol):
    """Stores accounts and API tokens; safe for several processes and threads at once.

    Every method is atomic. Times are stored to the millisecond.
    """

    def has_users(self) -> bool:
        """Whether there is any account; called at every request."""

    def users(self) -> tuple[User, ...]:
        """Return every account, by `name_key`."""

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""

    def user_named(self, name: str) -> User | None:
        """Return the account with this name, ignoring case, or None."""

    def add_user(self, user: User) -> None:
        """Insert an account.

        Raises
        ------
        NameTakenError
            If another account has its name (by `name_key`) or its id.
        """

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        """Replace the password of an account; False if there is none."""

    def remove_user(self, user_id: UserId) -> bool:
        """Remove an account and its tokens, but no listens; False if there is none."""

    def add_token(self, token: Token) -> None:
        """Insert a token."""

    def tokens_of(self, user_id: UserId) -> tuple[Token, ...]:
        """Return a user's tokens by (`created_at`, `id`)."""

    def token_hashed(self, secret_hash: str) -> Token | None:
        """Return the token whose secret has this hash, or None."""

    def remove_token(self, user_id: UserId, token_id: str) -> bool:
        """Remove a token of a user; False if they have none of this id."""


@dataclass(frozen=True, slots=True)
class LogHealth:
    """The health of an event log.

    Parameters
    ----------
    is_up : bool
        Whether listens can be appended, as far as is known.
    is_consumed : bool
        Whether appended listens are folded.
    detail : str
        What is wrong, in a sentence for people; empty if nothing is. If listens can be appended, listeners
        may read it: it names no servers.
    """

    is_up: bool = True
    is_consumed: bool = True
    detail: str = ""


class EventLog(Protocol):
    """Stores listens for good; they are folded from here into profiles."""

    @property
    def is_folding(self) -> bool:
        """Whether listens are stored and folded when `append` returns.

        Otherwise a consumer of the log does so soon after, and erasures have to be stored separately.
        """

    def prepare(self) -> None:
        """Check that listens can be appended, so that a start reports what is wrong.

        Raises
        ------
        SettingsError, EventLogError
            If they cannot; `LogUnreachableError` if the log's servers do not answer.
        """

    def health(self) -> LogHealth:
        """Return the last known health; called often, and never waits."""

    def append(self, listens: Sequence[Listen]) -> int:
        """Store listens; return how many were known already, as far as the log knows.

        None may be dated more than minutes ahead: consumers reject what is dated days ahead. A repeat
        within `listens` is known too. Once this returns, `kill -9` loses none of them.

        Raises
        ------
        EventLogError
            If they could not be stored, or not all of them; they may be sent again.
        StoreBusyError
            If another process held the store for too long.
        """

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Append an erasure: it hides every listen of its user up to its time, appended before or after.

        A total one also hides everything of its user that is in the log by now, whatever its date.

        Raises
        ------
        EventLogError, StoreBusyError
            As for `append`.
        """

    def entries(self) -> Iterator[LogRecord]:
        """Yield everything in the log that no erasure hides, in bounded memory.

        A user's erasure comes before their listens; it is total if one of theirs was. Of several events
        with one id, the first comes first.
        """

    def close(self) -> None:
        """Close connections."""


class PasswordHasher(Protocol):
    """Hashes passwords."""

    def hash(self, password: str) -> str:
        """Return a salted, slow hash with its parameters."""

    def is_right(self, password: str, password_hash: str) -> bool:
        """Whether a password has this hash; takes as long for a wrong one as for a right one."""
