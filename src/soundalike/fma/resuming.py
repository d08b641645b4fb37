"""Downloading a large file over HTTP, in as many attempts as it takes."""

import errno
import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from soundalike.domain.errors import FmaError
from soundalike.domain.ports.library import OnProgress

ATTEMPTS = 5
"""So many in a row may bring nothing new."""

_CHUNK = 1 << 20
_TIMEOUT_S = 60.0
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")
_BYTES = 1_000_000
_WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}

_Response = http.client.HTTPResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumingDownloader:
    """Downloads one file at a time; what is there of it is continued, also by the next process.

    Beside what has come is a file ``.tag`` with what the server calls this version, so that one which has
    another by then begins anew (RFC 9110, sections 13.1.5 and 14.2).

    Parameters
    ----------
    progress : callable
        Called with (done, total) megabytes.
    pause : callable
        Waits some seconds.
    free_bytes : callable
        Returns how much is free on the disk of a folder.
    extra_bytes : int
        How much more than the file has to be free, for unpacking it.
    open_file : callable
        Opens a path in a mode.
    """

    progress: OnProgress
    pause: Callable[[float], None]
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    extra_bytes: int = 0
    open_file: Callable[[Path, str], BinaryIO] = lambda path, mode: path.open(mode)  # type: ignore[assignment,return-value] # the mode is binary

    def download(self, url: str, target: Path, *, part: Path) -> None:
        """Download a file.

        Parameters
        ----------
        url : str
            Where it is.
        target : Path
            Where it goes once all of it has come.
        part : Path
            What has come of it.

        Raises
        ------
        FmaError
            If the server does not have it or goes on failing, or if the disk is full: what has come stays.
        """
        self._check_address(url)
        failures = 0
        while True:
            before = _size_of(part)
            try:
                if self._fetch(url, part):
                    break
                why = "the connection was cut"
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                    if error.headers.get("Content-Range") == f"bytes */{before}":
                        break
                    part.unlink(missing_ok=True)
                elif error.code not in _WORTH_RETRYING:
                    msg = f"{url} cannot be downloaded: the server answers {error.code} {error.reason}"
                    raise FmaError(msg) from error
                why = f"the server answers {error.code} {error.reason}"
            except (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as error:
                why = str(getattr(error, "reason", None) or error)
            failures = 0 if _size_of(part) > before else failures + 1
            if failures >= ATTEMPTS:
                msg = (
                    f"{url} cannot be downloaded: {why}; {_size_of(part) / _BYTES:,.1f} MB are there: run "
                    "the same command again to continue"
                )
                raise FmaError(msg)
            self.pause(min(2.0**failures, 30.0))
        part.replace(target)
        _tag_of(part).unlink(missing_ok=True)

    def _check_address(self, url: str) -> None:
        if not url.startswith(("https://", "http://")):
            msg = f"{url!r} is no address of a web server"
            raise FmaError(msg)

    def _fetch(self, url: str, part: Path) -> bool:
        """Add to a part what the server gives at once; return whether all of it is there."""
        with self._ask(url, part) as response:
            first, total = _extent(response)
            if response.status == http.HTTPStatus.PARTIAL_CONTENT and first != _size_of(part):
                part.unlink(missing_ok=True)  # not what was asked for: begin anew
                return False
            first = first if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            self._require_space(part, (total or 0) - first)
            if not first:
                part.unlink(missing_ok=True)
                _write_tag(part, response)
            self._copy(response, part, first, total)
        return total is None or _size_of(part) >= total

    def _ask(self, url: str, part: Path) -> _Response:
        """Ask for what is missing of a file, or for all of it."""
        have = _size_of(part)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if tag := _read_tag(part):
                headers["If-Range"] = tag
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - its scheme was checked
        response: _Response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310 - the same
        return response

    def _require_space(self, part: Path, missing: int) -> None:
        free, needed = self.free_bytes(part.parent), missing + self.extra_bytes
        if free < needed:
            msg = (
                f"{part.parent} has {free / _BYTES:,.0f} MB free, but {needed / _BYTES:,.0f} MB are needed "
                "for the download and for what is in it; free some, or name another folder with --to"
            )
            raise FmaError(msg)

    def _copy(self, response: _Response, part: Path, done: int, total: int | None) -> None:
        try:
            with self.open_file(part, "ab") as file:
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    self.progress(done // _BYTES, (total or 0) // _BYTES)
        except OSError as error:
            if error.errno not in {
                errno.ENOSPC,
                errno.EDQUOT,
                errno.EFBIG,
                errno.EROFS,
                errno.EACCES,
                errno.EIO,
            }:
                raise
            msg = f"cannot write {str(part)!r}: {error.strerror}; run it again to continue"
            raise FmaError(msg) from error


def _extent(response: _Response) -> tuple[int, int | None]:
    """Return where an answer begins in the file, and how long the file is."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2])) if found else (-1, None)
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tag_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _write_tag(part: Path, response: _Response) -> None:
    """Remember what ``If-Range`` may name: a strong ETag, else the date."""
    etag = response.headers.get("ETag", "")
    tag = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
    _tag_of(part).write_text(tag.replace("\n", " "), encoding="latin-1", errors="replace")


def _read_tag(part: Path) -> str:
    try:
        return _tag_of(part).read_text(encoding="latin-1")[:500].strip()
    except OSError:
        return ""
