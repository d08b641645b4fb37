"""How one file that cannot be heard leaves the decoders."""

from soundalike.domain.errors import AudioError
from soundalike.domain.files import NOTHING_HEARD, NotHeard, ProblemReason
from soundalike.domain.types import DurationMs


class UnusableAudioError(AudioError):
    """A file that cannot be heard, with its reason."""

    def __init__(self, reason: ProblemReason, detail: str = "", heard_ms: DurationMs = NOTHING_HEARD) -> None:
        """Keep the line that is stored about the file."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.not_heard = NotHeard(reason=reason, heard_ms=heard_ms, detail=detail)
