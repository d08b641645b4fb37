"""Long answers: each is made whole, in a file without a name, before its first byte is sent.

So no thread waits for a client, and what fails while it is made is still answered as an error.
"""

import contextlib
import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from flask import Request, Response
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import FileWrapper

from soundalike.domain.errors import AnswerTooLargeError, ServerBusyError
from soundalike.web.errors.log_once import LogOnce
from soundalike.web.security.client_address import client_key

MOST_BYTES = 2 << 30
SHARES = 8
"""How many clients it takes to use up all space, but for one that may have half of it."""
_BLOCK_BYTES = 64 * 1024
_log = logging.getLogger(__name__)


class TemporaryFiles:
    """The space on disk for answers that are made, and not taken yet.

    Parameters
    ----------
    most_bytes : int or None
        For all clients. One has a share; where no other has more than that, it may have half of all, so that
        long answers can be had. None is the usual space.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = MOST_BYTES if most_bytes is None else most_bytes
        self._lock = threading.Lock()
        self._taken = Counter[str]()
        self._log_once = LogOnce()

    def response(self, pieces: Iterable[bytes], request: Request) -> Response:
        """Answer with pieces, once all of them are written.

        Parameters
        ----------
        pieces : iterable of bytes
            The body.
        request : Request
            From whom it is, and the server's own way to send files.

        Raises
        ------
        ServerBusyError
            If there is no room for it now.
        AnswerTooLargeError
            If there never is.
        """
        file = _KeptFile(self, client_key(request.remote_addr or ""))
        try:
            for piece in pieces:
                file.write(piece)
            file.rewind()
            wrapper: Callable[[_KeptFile, int], Iterable[bytes]] = request.environ.get(
                "wsgi.file_wrapper", FileWrapper
            )
            response = Response(wrapper(file, _BLOCK_BYTES), direct_passthrough=True)
        except BaseException:
            file.close()
            raise
        response.content_length = file.size_bytes
        return response

    @property
    def most_for_one_bytes(self) -> int:
        """What one client, and so one answer, may have at most."""
        return self._most_bytes // 2

    def take(self, client: str, size_bytes: int) -> None:
        """Take some space.

        Parameters
        ----------
        client : str
            Who it is for.
        size_bytes : int
            How much.

        Raises
        ------
        ServerBusyError
            If it is not there.
        """
        with self._lock:
            own, total = self._taken[client] + size_bytes, self._taken.total() + size_bytes
            if total <= self._most_bytes and self._may_have(client, own):
                self._taken[client] = own
                return
        self._refuse(f"other answers that are not taken yet leave no space for one to {client}")

    def _may_have(self, client: str, size_bytes: int) -> bool:
        share = self._most_bytes // SHARES
        if size_bytes <= share:
            return True
        others = (taken for other, taken in self._taken.items() if other != client)
        return size_bytes <= self.most_for_one_bytes and max(others, default=0) <= share

    def give_back(self, client: str, size_bytes: int) -> None:
        """Give space back.

        Parameters
        ----------
        client : str
            Whose it was.
        size_bytes : int
            How much.
        """
        with self._lock:
            self._taken[client] -= size_bytes
            if not self._taken[client]:
                del self._taken[client]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Map what fails while a file is written, such as on a full disk."""
        try:
            yield
        except OSError as error:
            why = error.strerror or error
            self._refuse(f"the folder {tempfile.gettempdir()!r} cannot be written to ({why})")

    def _refuse(self, why: str) -> NoReturn:
        if self._log_once.is_new(why):
            _log.warning("a long answer could not be made: %s", why)
        msg = "there is no room for this answer now; try again later, and see in the log of soundalike why"
        raise ServerBusyError(msg)


def while_wanted(pieces: Iterable[bytes], request: Request) -> Iterator[bytes]:
    """Yield the pieces of an answer that takes long to make, as long as its client is there.

    Parameters
    ----------
    pieces : iterable of bytes
        The body; the first is not made either for a client that left while its request waited.
    request : Request
        With the server's own way to tell, if it has one.

    Raises
    ------
    ClientDisconnected
        Once it left. One that only ended its sending side can still read why.
    """
    has_left: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    remaining = iter(pieces)
    while not has_left():
        try:
            yield next(remaining)
        except StopIteration:
            return
    msg = "the sending side of the connection was closed before the answer was made; leave it open until then"
    raise ClientDisconnected(msg)


class _KeptFile:
    """A file without a name, which gives its space back when it is closed."""

    def __init__(self, space: TemporaryFiles, client: str) -> None:
        self._space, self._client, self.size_bytes = space, client, 0
        with space.writing():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the server once it is sent
        self.seek, self.tell = self._file.seek, self._file.tell

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        if not data:  # servers that read to the end need not close it
            self.close()
        return data

    def write(self, piece: bytes) -> None:
        most_bytes = self._space.most_for_one_bytes
        if self.size_bytes + len(piece) > most_bytes:
            msg = (
                f"this answer is larger than {most_bytes >> 20:,} MiB, the most that is sent; on the server, "
                "'soundalike events export FILE' writes the listens of all users to a file"
            )
            raise AnswerTooLargeError(msg)
        self._space.take(self._client, len(piece))
        self.size_bytes += len(piece)
        with self._space.writing():
            self._file.write(piece)

    def rewind(self) -> None:
        with self._space.writing():
            self._file.seek(0)

    def close(self) -> None:
        if not self._file.closed:
            with contextlib.suppress(OSError):  # what is still to be written would not fit
                self._file.close()
            self._space.give_back(self._client, self.size_bytes)
