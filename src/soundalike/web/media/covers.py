"""Covers: the picture in a track's tags, or one generated from its name where there is none."""

import hashlib

from flask import Request, Response

from soundalike.domain.ports.audio import Cover
from soundalike.domain.tracks import Track
from soundalike.web.temporary_files import TemporaryFiles

_CACHED = "private, max-age=300"
_IN_MEMORY_BYTES = 256 * 1024
_BARS = ((22, 38), (36, 20), (50, 30), (64, 14), (78, 34))


def cover_response(cover: Cover, request: Request, temporary: TemporaryFiles) -> Response:
    """Answer with a picture, or 304 where the client has it.

    Parameters
    ----------
    cover : Cover
        The picture.
    request : Request
        May have ``If-None-Match``.
    temporary : TemporaryFiles
        For large ones.

    Raises
    ------
    ServerBusyError
        If there is no room for it.
    """
    return _picture(cover.data, cover.media_type, request, temporary)


def generated_cover_response(track: Track, request: Request) -> Response:
    """Answer with a generated cover; the tracks of an album have the same one.

    Parameters
    ----------
    track : Track
        Has no cover of its own.
    request : Request
        May have ``If-None-Match``.
    """
    return _picture(_drawing(track.album or track.artist or track.title).encode(), "image/svg+xml", request)


def _picture(
    data: bytes, media_type: str, request: Request, temporary: TemporaryFiles | None = None
) -> Response:
    etag = hashlib.blake2b(data, digest_size=12).hexdigest()
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    elif temporary is None or len(data) <= _IN_MEMORY_BYTES:
        response = Response(data)
    else:
        response = temporary.response([data], request)  # memory does not grow with slow clients
    response.content_type = media_type
    response.set_etag(etag)
    response.headers["Cache-Control"] = _CACHED
    return response


def _drawing(name: str) -> str:
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest()
    hue = int.from_bytes(digest[:2]) % 360
    bars = "".join(
        f'<rect x="{x - 4}" y="{50 - height}" width="8" height="{2 * height}" rx="4"/>'
        for (x, tallest), byte in zip(_BARS, digest[2:], strict=False)
        for height in (8 + byte * (tallest - 8) // 255,)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><defs>'
        '<linearGradient id="g" x1="0" y1="0" x2="1" y2="1">'
        f'<stop offset="0" stop-color="hsl({hue},48%,46%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 40) % 360},52%,28%)"/></linearGradient></defs>'
        f'<rect width="100" height="100" fill="url(#g)"/><g fill="#fff" fill-opacity=".72">{bars}</g></svg>'
    )
