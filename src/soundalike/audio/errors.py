"""The error for a file that cannot be analysed."""

from soundalike.domain.errors import AudioError
from soundalike.domain.files import NOTHING_ANALYSED, AnalysisFailure, ProblemReason
from soundalike.domain.types import DurationMs


class UnusableAudioError(AudioError):
    """A file cannot be analysed, with the reason."""

    def __init__(
        self, reason: ProblemReason, detail: str = "", analysed_ms: DurationMs = NOTHING_ANALYSED
    ) -> None:
        """Keep the failure that is stored about the file."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.failure = AnalysisFailure(reason=reason, analysed_ms=analysed_ms, detail=detail)
