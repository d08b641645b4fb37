"""Audio by byte ranges, passed to the server as an open file so that no thread waits for a slow client."""

import os
from collections.abc import Callable, Iterable
from typing import BinaryIO

from flask import Request, Response
from werkzeug.wsgi import FileWrapper

from soundalike.services.library.media import AudioStream
from soundalike.web.media.ranges import parse_range

_BLOCK_BYTES = 64 * 1024


class FileSlice:
    """A range of bytes of an open file, as a seekable file of its own.

    Parameters
    ----------
    file : BinaryIO
        Closed with the slice.
    offsets : range
        Of the bytes in the file.
    """

    def __init__(self, file: BinaryIO, offsets: range) -> None:
        self._file = file
        self._offsets = offsets
        self._file.seek(offsets.start)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that are left where it is negative.

        Raises
        ------
        OSError
            If the file has become shorter: without an error the client would wait for ever.
        """
        left = len(self._offsets) - self.tell()
        wanted = left if size < 0 else min(size, left)
        data = self._file.read(max(0, wanted))
        if not data and wanted > 0:
            msg = "the audio file became shorter while it was played"
            raise OSError(msg)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, and return it.

        Parameters
        ----------
        offset : int
            In bytes.
        whence : int
            What the offset counts from: the start of the slice, the position, or its end.
        """
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: len(self._offsets)}[whence]
        return self._file.seek(self._offsets.start + origin + offset) - self._offsets.start

    def tell(self) -> int:
        """Return the position, counted from the start of the slice."""
        return self._file.tell() - self._offsets.start

    def seekable(self) -> bool:
        """Return True: servers may seek."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def file_body(file: FileSlice, request: Request) -> Iterable[bytes]:
    """Return a body that the server's event loop sends from a file, so that no thread waits for the client.

    Parameters
    ----------
    file : FileSlice
        What to send; closed after it.
    request : Request
        Has the server's own way to send files.
    """
    wrapper: Callable[[FileSlice, int], Iterable[bytes]] = request.environ.get(
        "wsgi.file_wrapper", FileWrapper
    )
    return wrapper(file, _BLOCK_BYTES)


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
        response = Response(file_body(FileSlice(stream.file, offsets), request), direct_passthrough=True)
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
