"""Audio by byte ranges, passed to the server as an open file so that no thread waits for a slow client."""

from collections.abc import Callable, Iterable
from typing import BinaryIO

from flask import Request, Response
from werkzeug.wsgi import FileWrapper

from soundalike.domain.errors import FileUnavailableError
from soundalike.services.library.media import AudioStream
from soundalike.web.media.ranges import parse_range

FILE_WRAPPER = "soundalike.file_wrapper"
"""The server's way to send a file whose disk may hang, in WSGI's environment."""
_BLOCK_BYTES = 64 * 1024


class FileSlice:
    """A range of bytes of an open file, read from its start to its end.

    Parameters
    ----------
    file : BinaryIO
        Closed with the slice.
    name : str
        What the file is called in the log.
    offsets : range
        Of the bytes in the file.
    """

    def __init__(self, file: BinaryIO, name: str, offsets: range) -> None:
        self.name = name
        self._file, self._left = file, len(offsets)
        self._file.seek(offsets.start)

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes.

        Raises
        ------
        OSError
            If the file has become shorter: without an error the client would wait for ever.
        """
        wanted = min(size, self._left)
        data = self._file.read(wanted)
        if not data and wanted:
            msg = "it became shorter while it was played"
            raise OSError(msg)
        self._left -= len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _file_body(file: FileSlice, request: Request) -> Iterable[bytes]:
    wrapper: Callable[[FileSlice, int], Iterable[bytes]] = request.environ.get(FILE_WRAPPER, FileWrapper)
    try:
        return wrapper(file, _BLOCK_BYTES)
    except OSError as error:
        why = error.strerror or error
        # The name is for the log alone, which has the track.
        msg = f"the file cannot be read at the moment ({why}); try again, and check its disk or mount"
        raise FileUnavailableError(msg) from error


def audio_response(stream: AudioStream, request: Request) -> Response:
    """Answer with a track's audio, or the range that was asked for; the file is closed in any case.

    Parameters
    ----------
    stream : AudioStream
        The open file, its type and its tag.
    request : Request
        May have ``Range``, ``If-Range`` and ``If-None-Match``.

    Raises
    ------
    RequestedRangeNotSatisfiable
        If the range begins after the end of the file.
    """
    try:
        response = _answer(stream, request)
    except BaseException:
        stream.file.close()
        raise
    if not response.direct_passthrough:
        stream.file.close()
    response.content_type = stream.media_type
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(stream.etag)
    return response


def _answer(stream: AudioStream, request: Request) -> Response:
    if request.if_none_match.contains_weak(stream.etag):
        return Response(status=304)
    wanted = _wanted(stream, request)
    offsets = wanted or range(stream.size_bytes)
    if offsets:
        response = Response(
            _file_body(FileSlice(stream.file, stream.name, offsets), request), direct_passthrough=True
        )
    else:
        response = Response()
    if wanted is not None:
        response.status_code = 206
        response.content_range.set(offsets.start, offsets.stop, stream.size_bytes)
    response.content_length = len(offsets)
    return response


def _wanted(stream: AudioStream, request: Request) -> range | None:
    """Return the range to answer with; only GET has ranges, and only while the file is the same."""
    condition = request.headers.get("If-Range")
    is_same = condition is None or condition == f'"{stream.etag}"'
    if request.method != "GET" or not is_same:
        return None
    return parse_range(request.headers.get("Range"), stream.size_bytes)
