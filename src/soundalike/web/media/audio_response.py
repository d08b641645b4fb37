"""Audio by byte ranges, handed to the server as an open file so that no worker waits for a listener."""

import os
from collections.abc import Callable, Iterable
from typing import BinaryIO

from flask import Request, Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from soundalike.services.library.media import AudioStream
from soundalike.web.media.ranges import ByteRange, Unsatisfiable, parse_range

_BLOCK_BYTES = 64 * 1024


class FilePart:
    """Some bytes of an open file, as a seekable file of their own.

    Parameters
    ----------
    file : BinaryIO
        Closed with the part.
    part : ByteRange
        Which bytes.
    """

    def __init__(self, file: BinaryIO, part: ByteRange) -> None:
        self._file = file
        self._part = part
        self._file.seek(part.start)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, all that are left where it is negative.

        Raises
        ------
        OSError
            If the file has become shorter, which would otherwise leave a listener waiting for ever.
        """
        left = len(self._part) - self.tell()
        wanted = left if size < 0 else min(size, left)
        data = self._file.read(max(0, wanted))
        if not data and wanted > 0:
            msg = "an audio file became shorter while it was played"
            raise OSError(msg)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place counted from the part's beginning, from here, or from the part's end."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: len(self._part)}[whence]
        return self._file.seek(self._part.start + origin + offset) - self._part.start

    def tell(self) -> int:
        """Return the place, counted from the part's beginning."""
        return self._file.tell() - self._part.start

    def seekable(self) -> bool:
        """Tell servers that they may seek."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def audio_response(stream: AudioStream, request: Request) -> Response:
    """Answer with a track's audio, or the part of it that was asked for; closes the file, soon or late.

    Raises
    ------
    RequestedRangeNotSatisfiable
        If the range begins where the file has ended.
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
    if isinstance(wanted, Unsatisfiable):
        raise RequestedRangeNotSatisfiable(stream.size_bytes, description="the range begins after the end")
    part = wanted or ByteRange(0, stream.size_bytes)
    if part:
        response = Response(_wrap(FilePart(stream.file, part), request), direct_passthrough=True)
    else:
        response = Response()
    if wanted is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{stream.size_bytes}"
    response.headers["Content-Length"] = str(len(part))
    return response


def _wanted(stream: AudioStream, request: Request) -> ByteRange | Unsatisfiable | None:
    """Return the range to answer with; only GET has ranges, and only while the file is the same."""
    condition = request.headers.get("If-Range")
    is_same = condition is None or condition == f'"{stream.etag}"'
    if request.method != "GET" or not is_same:
        return None
    return parse_range(request.headers.get("Range"), stream.size_bytes)


def _wrap(part: FilePart, request: Request) -> Iterable[bytes]:
    # The server's own wrapper, unwrapped by nothing else, is what frees its worker.
    wrapper: Callable[[FilePart, int], Iterable[bytes]] = request.environ.get(
        "wsgi.file_wrapper", FileWrapper
    )
    return wrapper(part, _BLOCK_BYTES)
