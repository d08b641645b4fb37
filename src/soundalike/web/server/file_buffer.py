"""Files as answers, read by threads of their own, a piece at a time, so that only those wait for a disk."""

import contextlib
import threading
from typing import TYPE_CHECKING, Protocol

from waitress.buffers import ReadOnlyFileBasedBuffer

if TYPE_CHECKING:
    from soundalike.web.server.waitress_channel import Channel

PIECE_BYTES = 64 * 1024
"""What is held in memory of each file that is sent."""


class SlowFile(Protocol):
    """A file that is read from its start to its end, and may have to be waited for."""

    name: str

    def read(self, size: int, /) -> bytes:
        """Read some; raises OSError where the file ends early."""

    def close(self) -> None:
        """Close it."""


class FileBuffer(ReadOnlyFileBasedBuffer):  # type: ignore[misc] # waitress has no types
    """A file that is sent, of which at most one piece is in memory.

    The first piece is read at once, so an error there is answered as one. Each other piece is read once the
    one before it is sent. Only threads for files touch the file: even closing it may take for ever.

    Parameters
    ----------
    file : SlowFile
        Closed in the end.
    channel : Channel
        The connection.

    Raises
    ------
    OSError
        If the file cannot be read.
    """

    remain: int

    def __init__(self, file: SlowFile, channel: "Channel") -> None:
        self._file, self._channel = file, channel
        self.client, self.has_share = channel.client, channel.has_share
        self._lane = channel.server.lanes.files
        self._lock = threading.Lock()
        self._is_asked = self._is_closed = False
        self._piece = file.read(PIECE_BYTES)
        self.remain = 0

    def prepare(self, size: int | None = None) -> int:
        """Take the length of the answer, which is always known."""
        self.remain = size or 0
        return self.remain

    @property
    def held_bytes(self) -> int:
        """What is in memory."""
        return len(self._piece)

    @property
    def is_awaited(self) -> bool:
        """Whether a piece is being read."""
        return self._is_asked and not self._is_closed

    @property
    def hangs(self) -> bool:
        """Whether the disk takes longer than it may."""
        return self.is_awaited and self._lane.hangs(self)

    @property
    def name(self) -> str:
        """The file's name."""
        return self._file.name

    def get(self, numbytes: int = -1, skip: bool = False) -> bytes:  # noqa: FBT001, FBT002, ARG002 - waitress's own signature
        """Return what can be sent; nothing while the next piece is read."""
        return self._piece if numbytes < 0 else self._piece[:numbytes]

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - waitress's own signature
        """Drop what was sent, and ask for the next piece where that was all."""
        self.remain -= numbytes
        self._piece = self._piece[numbytes:]
        if self.remain and not self._piece:
            self._ask()

    def close(self) -> None:
        """Let the file be closed by the thread that reads it, or by the next one that is free."""
        self._piece, self.remain = b"", 0
        with self._lock:
            is_new, self._is_closed = not self._is_closed, True
        if is_new:
            self._ask()

    def _ask(self) -> None:
        with self._lock:
            is_new, self._is_asked = not self._is_asked, True
        if is_new:
            self._lane.add_task(self)

    def service(self) -> None:
        """Read the next piece, or close the file."""
        piece, failure = b"", ""
        if not self._is_closed:
            try:
                piece = self._file.read(PIECE_BYTES)
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                failure = f"the file {self.name!r} cannot be read any more ({why})"
        with self._lock:
            was_closed, self._is_closed = self._is_closed, self._is_closed or bool(failure)
            self._is_asked = ends = self._is_closed
            self._piece = b"" if ends else piece
        if ends:
            self._close_file()
        if not was_closed:
            self._channel.take_piece(failure)

    def cancel(self) -> None:
        """Close the file, since the server ends."""
        self._is_closed = True
        self._close_file()

    def _close_file(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
