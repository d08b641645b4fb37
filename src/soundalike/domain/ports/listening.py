"""The ports of listeners: what stores listens, profiles and accounts, and the event log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from soundalike.domain.listens import Erased, Erasure, Listen, LogRecord
from soundalike.domain.profiles import Profile
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.domain.users import Credential, EndedSession, User


class ListenStore(Protocol):
    """Stores listens, profiles and erasures; safe for several processes and threads at once.

    Every method but `add_listens` is atomic, and what it has stored survives a crash of the process.
    """

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        """Insert listens of any users; return those that were new, in the order given.

        Of two with the same user and id the first counts, whether it is stored already or comes earlier
        in `listens`. Those that their user's erasures hide are left out (`Erased.hides`); the others belong
        in the user's generation from then on, also where they name none, or one that is not known yet. Once
        this returns, a power cut loses none of them; if it does not return, each is stored completely or
        not at all.
        """

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        """Yield every listen of a user by (`at_ms`, `id`), with its generation, in bounded memory."""

    def count_listens(self, user_id: UserId) -> int:
        """Count a user's listens."""

    def count_and_erased(self, user_id: UserId) -> tuple[int, Erased]:
        """Return what `count_listens` and `erased` return, in one call."""

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
        `profile.erased` is not what is erased of the user. A stored profile for which `profile` returns None
        counts as None.
        """

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Store an erasure, and remove the user's profile and the listens that it hides.

        The user's generation becomes the one that it names, unless theirs is later: so it is raised once,
        however often an erasure is stored, and everything from before goes. An erasure without a number
        removes what is dated up to it. A total one removes every listen that is stored, even if it is known
        already. Otherwise one that is known already changes nothing (`Erased.after`). Once this returns, a
        power cut does not undo it.
        """

    def lower_mark(self, erasure: Erasure) -> None:
        """Let no date after an erasure's hide listens that are added from now on; see `Erased.lowered`.

        Nothing that is stored changes, but the profile: it has another version, and is removed to be folded
        again. Lowering to a later date, or again, changes nothing.
        """

    def erased(self, user_id: UserId) -> Erased:
        """Return what is erased of a user, and which generation they are in."""

    def erasures(self) -> tuple[Erasure, ...]:
        """Return the erasures of all users, by user, as `Erased.erasures` gives them."""


class AccountStore(Protocol):
    """Stores accounts and their credentials; safe for several processes and threads at once.

    Every method is atomic. Times are stored to the millisecond.
    """

    def has_users(self) -> bool:
        """Whether there is any account; called at every request."""

    def users(self) -> tuple[User, ...]:
        """Return every account, by `account_key`."""

    def user(self, user_id: UserId) -> User | None:
        """Return an account, or None."""

    def user_named(self, name: str) -> User | None:
        """Return the account with this name, ignoring case, or None."""

    def add_user(self, user: User) -> None:
        """Insert an account.

        Raises
        ------
        NameTakenError
            If another account has its name (by `account_key`) or its id.
        """

    def save_password(self, user_id: UserId, password_hash: str) -> bool:
        """Replace the password of an account; False if there is none."""

    def save_admin(self, user_id: UserId, *, is_admin: bool) -> bool:
        """Say whether an account is an administrator's; False if there is none."""

    def save_advised(self, user_id: UserId) -> bool:
        """Note that the user of an account has been advised (`User.is_advised`); False if there is none."""

    def remove_user(self, user_id: UserId) -> bool:
        """Remove an account, its credentials and ended sessions, but no listens; False if there is none.

        If no administrator is left, the account that was made first of those that are left becomes one.
        """

    def add_credential(self, credential: Credential) -> None:
        """Insert a credential."""

    def credentials_of(self, user_id: UserId) -> tuple[Credential, ...]:
        """Return a user's credentials by (`created_at`, `id`)."""

    def credential_hashed(self, secret_hash: str) -> Credential | None:
        """Return the credential whose secret has this hash, or None."""

    def remove_credential(self, user_id: UserId, credential_id: str) -> bool:
        """Remove a credential of a user; False if they have none of this id."""

    def add_ended_session(self, ended: EndedSession) -> None:
        """Insert an ended session of an account; one that is there already, or of no account, is left out."""

    def is_session_ended(self, digest: str) -> bool:
        """Whether a session is stored as ended; called at every request with a session."""

    def ended_sessions(self) -> Iterator[EndedSession]:
        """Yield every ended session by `digest`, in bounded memory."""

    def forget_ended_sessions(self, now: datetime) -> None:
        """Remove the ended sessions whose `expires_at` is not after a time."""


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
        """Append an erasure: it hides listens of its user (`Erased.hides`), appended before or after.

        A total one also hides everything of its user that is in the log by now, whatever its date.

        Raises
        ------
        EventLogError, StoreBusyError
            As for `append`.
        """

    def lower_mark(self, erasure: Erasure) -> None:
        """Append that erasures of a user hide by date only up to this one's; see `ErasureRecord`.

        Raises
        ------
        EventLogError, StoreBusyError
            As for `append`.
        """

    def entries(self) -> Iterator[LogRecord]:
        """Yield everything in the log that no erasure hides, in bounded memory.

        A user's erasures come before their listens; the last is total if one of theirs was. Of several
        events with one id, the first comes first.
        """

    def close(self) -> None:
        """Close connections."""


class PasswordHasher(Protocol):
    """Hashes passwords, and knows which ones are easy to guess."""

    def hash(self, password: str) -> str:
        """Return a salted, slow hash with its parameters."""

    def is_right(self, password: str, password_hash: str) -> bool:
        """Whether a password has this hash; takes as long for a wrong one as for a right one."""

    def weakness(self, password: str, known: Sequence[str]) -> str | None:
        """Return why a password is easy to guess, as a sentence without its end; None if it is not.

        Parameters
        ----------
        password : str
            The password.
        known : sequence of str
            What everybody knows of its user, the name above all.
        """
