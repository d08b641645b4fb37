"""Everything that is stored about one user: exported as one JSON document, and erased."""

import json
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime
from typing import Any

from soundalike.domain.batches import batched
from soundalike.domain.counts import counted
from soundalike.domain.errors import EventLogError, StoreUnfitError
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.times import from_ms, rfc3339, to_ms
from soundalike.domain.types import UserId
from soundalike.services.entities import ENTITIES
from soundalike.services.entities.entity import Entity, UserData
from soundalike.services.listeners.profiles import Profiles

_log = logging.getLogger(__name__)

_PER_PIECE = 500


class PersonalData:
    """Exports and erases what belongs to one user, as each entity declares.

    Parameters
    ----------
    store : Store
        Where it is stored.
    log : EventLog
        From which listens are erased as well.
    profiles : Profiles
        Bring a profile up to date before it is exported.
    clock : callable
        Gives the time, UTC.
    entities : sequence of Entity
        Everything that a store has.
    """

    def __init__(
        self,
        store: Store,
        log: EventLog,
        profiles: Profiles,
        *,
        clock: Callable[[], datetime],
        entities: Sequence[Entity[Any]] = ENTITIES,
    ) -> None:
        self._store = store
        self._log = log
        self._profiles = profiles
        self._clock = clock
        self._entities = entities

    def export(self, user_id: UserId) -> Generator[bytes, None, None]:
        """Yield the document in pieces, in bounded memory however much is stored; no secrets."""
        data = UserData(store=self._store, user_id=user_id, profile=self._profiles.of(user_id))
        exports = (export for entity in self._entities for export in entity.exports)
        bodies = {export.member: export.body(data) for export in exports}
        streams = {member: body for member, body in bodies.items() if isinstance(body, Iterator)}
        short = {member: body for member, body in bodies.items() if member not in streams}
        yield json.dumps(short, indent=1).removesuffix("}").rstrip().encode()
        for member, rows in streams.items():
            yield f",\n {json.dumps(member)}: [".encode()
            mark = "\n  "
            for piece in batched(map(json.dumps, rows), _PER_PIECE):
                yield (mark + ",\n  ".join(piece)).encode()
                mark = ",\n  "
            yield b"\n ]"
        yield b"\n}\n"

    def generation(self, user_id: UserId) -> int:
        """Return in which generation the data of a user is: 0 until it is erased."""
        return self._store.erased(user_id).generation

    def lower_marks(self) -> None:
        """Lower, for good, what erasures under a fast clock hide by date; called at a start.

        What names no generation, and is dated up to such an erasure, would be hidden until the clock has
        come there. From now on it is hidden only if it is dated up to now. What is stored stays, and what was
        hidden is gone. Where the log is away, the next start does it.
        """
        now = self._clock()
        ahead = {one.user_id for one in self._store.erasures() if one.at_ms > to_ms(now)}
        latest_ms = 0
        for user_id in sorted(ahead):
            erased = self._store.erased(user_id)
            lowered = Erasure(user_id, to_ms(now), erased.generation or None)
            try:
                self._log.lower_mark(lowered)
            except (EventLogError, StoreUnfitError) as error:
                _log.warning("the date of an erasure is ahead of the clock, and stays for now: %s", error)
                return
            self._store.lower_mark(lowered)
            latest_ms = max(latest_ms, erased.until_ms or 0)
        if ahead:
            _log.warning(
                "the data of %s was erased at a time ahead of this clock, up to %s: from now on this counts "
                "as %s, the time of this start, so that what is done now is not hidden; a clock was wrong",
                counted(len(ahead), "user"),
                rfc3339(from_ms(latest_ms)),
                rfc3339(now),
            )

    def erase(self, user_id: UserId) -> None:
        """Erase everything of a user but their account, and begin the next generation of their data.

        What the log has of them is erased by its consumer where that is another process. The store does not
        wait for it: from now on it hides what belongs to earlier generations. A second erasure at the same
        time may name the same generation; it is one with the first. The number is the time in seconds, so
        that it is later than that of an erasure that an older backup does not know.
        """
        at_ms = to_ms(self._clock())
        erasure = Erasure(user_id, at_ms, max(self.generation(user_id) + 1, at_ms // 1_000))
        self._log.erase(erasure, is_total=True)
        for entity in self._entities:
            if entity.erase is not None:
                entity.erase(self._store, erasure)
