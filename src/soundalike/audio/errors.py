"""Errors of files: of one that cannot be analysed, and of a disk that does not give one at the moment."""

import errno

from soundalike.domain.errors import AudioError
from soundalike.domain.files import NOTHING_ANALYSED, AnalysisFailure, ProblemReason
from soundalike.domain.types import DurationMs

# What is wrong with a file or its path. All other errors (EIO, ESTALE, EMFILE, ENOMEM, ENOTCONN ...) are of
# the disk, the network or this machine, and say nothing of the file.
_LASTING = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.EACCES,
    errno.EPERM,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.EISDIR,
}


class UnusableAudioError(AudioError):
    """A file cannot be analysed, with the reason."""

    def __init__(
        self, reason: ProblemReason, detail: str = "", analysed_ms: DurationMs = NOTHING_ANALYSED
    ) -> None:
        """Keep the failure that is stored about the file."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.failure = AnalysisFailure(reason=reason, analysed_ms=analysed_ms, detail=detail)


def is_passing(error: Exception) -> bool:
    """Whether an error is of the disk, the network or this machine, and may be gone at the next try."""
    return isinstance(error, OSError) and error.errno is not None and error.errno not in _LASTING
