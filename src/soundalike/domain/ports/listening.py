"""Ports by which listens, profiles and accounts are kept; the store's other half."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from soundalike.domain.listens import Erasure, Listen, LogRecord
from soundalike.domain.profiles import Profile
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.domain.users import Token, User


class ListenStore(Protocol):
    """Keeps listens, profiles and erasures; safe for several processes and threads at once.

    Every method but `add_listens` is atomic, and what it has stored is there after a crash of the process.
    """

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        """Insert listens of any users; return those that were new, in the order given.

        Of two with the same user and id the first counts, whether it was stored before or stands
        before it here. Listens at or before their user's erasure are left out. When this returns, a
        power cut loses nothing of it; where it does not, each listen is there wholly or not at all.
        """

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user by (`at_ms`, `id`), in bounded memory."""

    def count_listens(self, user_id: UserId) -> int:
        """Count a user's listens."""

    def listen_counts(self) -> Mapping[UserId, int]:
        """Count the listens of every user who has any."""

    def profile(self, user_id: UserId) -> Profile | None:
        """Return a user's profile, or None; one that an older or newer fold made is none."""

    def profile_version(self, user_id: UserId) -> ProfileVersion | None:
        """Return the version of the profile that `profile` would return, without reading it whole."""

    def profile_counts(self) -> Mapping[UserId, int]:
        """Tell of how many listens each stored profile is made (`profile.taste.count`)."""

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        """Store a profile in place of the version it was made from, None for none.

        False, and nothing is changed, if another version stands there by now, or if
        `profile.erased_ms` is not the user's erasure. A stored profile that `profile` takes for none
        counts as none.
        """

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Remember an erasure, and remove the user's listens up to it and their profile.

        The latest erasure of a user counts; one that comes after it and is no later changes nothing.
        A total one removes listens that are dated later too, as a fast clock dates them. When this
        returns, a power cut loses nothing of it.
        """

    def erased_ms(self, user_id: UserId) -> int | None:
        """Return up to when a user's listens are erased, or None."""

    def erasures(self) -> tuple[Erasure, ...]:
        """Return the erasure of every user who has one, by user."""


class AccountStore(Protocol):
    """Keeps accounts and API tokens; safe for several processes and threads at once.

    Every method is atomic. Times are kept to the millisecond.
    """

    def has_users(self) -> bool:
        """Whether there is any account; asked at every request."""

    def users(self) -> tuple[User, ...]:
        """Return every account, by `name_key`."""

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""

    def user_named(self, name: str) -> User | None:
        """Return the account with this name, whatever its letters' case, or None."""

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
    """How an event log is.

    Parameters
    ----------
    is_up : bool
        Whether listens can be appended now, as far as is known.
    is_consumed : bool
        Whether somebody folds what is appended.
    detail : str
        What is wrong, in a sentence for people; empty where all is well. Where listens can be appended, it
        names no servers and nothing else that listeners should not read.
    """

    is_up: bool = True
    is_consumed: bool = True
    detail: str = ""


class EventLog(Protocol):
    """Takes listens and keeps them for good; whoever folds them reads them from here."""

    @property
    def is_folding(self) -> bool:
        """Whether what was appended is stored and folded when `append` returns.

        Otherwise a consumer of the log does so soon after, and an erasure is to be made in the store too.
        """

    def prepare(self) -> None:
        """Make sure that listens can be appended, so that a start tells what is wrong.

        Raises
        ------
        SettingsError, EventLogError
            That say what is wrong, and what to do; `LogUnreachableError` where nobody answers.
        """

    def health(self) -> LogHealth:
        """Tell how the log is, as it was last known; asked often, and never waits."""

    def append(self, listens: Sequence[Listen]) -> int:
        """Make listens durable; return how many were known already, as far as the log knows.

        None is dated more than minutes ahead: whoever folds a shared log refuses what is dated days ahead.

        When this returns, `kill -9` loses none of them. A repeat within `listens` is known too.

        Raises
        ------
        EventLogError
            If they could not be made durable; they may be sent again, in part or whole.
        StoreBusyError
            If another process held the store for too long.
        """

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Append an erasure: it hides every listen of its user at or before it, early or late.

        A total one hides whatever the log holds of its user by now, too, however it is dated.

        Raises
        ------
        EventLogError, StoreBusyError
            As `append`.
        """

    def entries(self) -> Iterator[LogRecord]:
        """Yield everything the log holds and nothing hides, in bounded memory.

        A user's erasure comes before their listens, total where one of theirs was; of an id that stands
        there twice, the first content comes first.
        """

    def close(self) -> None:
        """Let go of connections."""


class PasswordHasher(Protocol):
    """Makes passwords unreadable."""

    def hash(self, password: str) -> str:
        """Return a salted, slow hash that says how it was made."""

    def is_right(self, password: str, password_hash: str) -> bool:
        """Whether a password has this hash; takes as long for a wrong one."""
