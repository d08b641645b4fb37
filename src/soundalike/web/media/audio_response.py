"""Audio by byte ranges, passed to the server as an open file so that no thread waits for a slow client."""

import os
from collections.abc import Callable, Iterable
from typing import BinaryIO

from flask import Request, Response
from werkzeug.wsgi import FileWrapper

from soundalike.services.library.media import AudioStream
from soundalike.web.media.ranges import parse_range

_BLOCK_BYTES = 64 * 1024


class FilePart:
    """A part of an open file, as a seekable file of its own.

    Parameters
    ----------
    file : BinaryIO
        Closed with the part.
    part : range
        The bytes' offsets in the file.
    """

    def __init__(self, file: BinaryIO, part: range) -> None:
        self._file = file
        self._part = part
        self._file.seek(part.start)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that are left where it is negative.

        Raises
        ------
        OSError
            If the file has become shorter: without an error the client would wait for ever.
        """
        left = len(self._part) - self.tell()
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
            What the offset counts from: the start of the part, the position, or the end of the part.
        """
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: len(self._part)}[whence]
        return self._file.seek(self._part.start + origin + offset) - self._part.start

    def tell(self) -> int:
        """Return the position, counted from the start of the part."""
        return self._file.tell() - self._part.start

    def seekable(self) -> bool:
        """Return True: servers may seek."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def audio_response(stream: AudioStream, request: Request) -> Response:
    """Answer with a track's audio, or the part that was asked for; the file is closed in any case.

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
    part = wanted or range(stream.size_bytes)
    if part:
        response = Response(_wrap(FilePart(stream.file, part), request), direct_passthrough=True)
    else:
        response = Response()
    if wanted is not None:
        response.status_code = 206
        response.content_range.set(part.start, part.stop, stream.size_bytes)
    response.content_length = len(part)
    return response


def _wanted(stream: AudioStream, request: Request) -> range | None:
    """Return the part to answer with; only GET has ranges, and only while the file is the same."""
    condition = request.headers.get("If-Range")
    is_same = condition is None or condition == f'"{stream.etag}"'
    if request.method != "GET" or not is_same:
        return None
    return parse_range(request.headers.get("Range"), stream.size_bytes)


def _wrap(part: FilePart, request: Request) -> Iterable[bytes]:
    # The server's own wrapper lets its event loop send the file, which frees the worker thread.
    wrapper: Callable[[FilePart, int], Iterable[bytes]] = request.environ.get(
        "wsgi.file_wrapper", FileWrapper
    )
    return wrapper(part, _BLOCK_BYTES)
