"""Long answers: made whole before they are sent, in bounded space."""

import errno
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Request, Response
from werkzeug.test import EnvironBuilder

from soundalike.domain.errors import AnswerTooLargeError, ServerBusyError, StoreUnavailableError
from soundalike.web.server.waitress_server import open_files
from soundalike.web.temporary_files import TemporaryFiles

PIECES = [b"some", b"thing", b" long"]
WHOLE = b"".join(PIECES)


def request_of(address: str = "192.0.2.1") -> Request:
    return Request(EnvironBuilder(environ_base={"REMOTE_ADDR": address}).get_environ())


def body_of(response: Response) -> bytes:
    body = b"".join(response.iter_encoded())
    response.close()
    return body


def test_an_answer_has_all_pieces_and_their_length() -> None:
    response = TemporaryFiles().response(PIECES, request_of())
    assert response.content_length == len(WHOLE)
    assert body_of(response) == WHOLE


def test_a_client_has_a_share_until_its_answers_are_taken_while_another_has_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    temporary = TemporaryFiles(most_bytes=8 * 2 * len(WHOLE))
    large = temporary.response(3 * PIECES, request_of("192.0.2.3"))
    first, second = (temporary.response(PIECES, request_of()) for _ in range(2))
    before = open_files()
    with pytest.raises(ServerBusyError):
        temporary.response(PIECES, request_of())
    assert open_files() == before
    (line,) = caplog.records
    assert "other answers that are not taken yet leave no space for one to 192.0.2.1" in line.getMessage()
    assert body_of(temporary.response(PIECES, request_of("192.0.2.2"))) == WHOLE
    assert body_of(first) == WHOLE
    third = temporary.response(PIECES, request_of())
    assert body_of(second) == body_of(third) == WHOLE
    assert body_of(large) == 3 * WHOLE


def test_a_client_has_half_of_the_space_while_no_other_has_more_than_a_share(
    caplog: pytest.LogCaptureFixture,
) -> None:
    temporary = TemporaryFiles(most_bytes=8 * len(WHOLE))
    before = open_files()
    shares = [temporary.response(PIECES, request_of(f"192.0.2.{number}")) for number in (2, 3, 4, 5)]
    household = [temporary.response(2 * PIECES, request_of()) for _ in range(2)]
    assert [body_of(one) for one in household] == [2 * WHOLE] * 2
    for one in shares:
        one.close()
    assert body_of(temporary.response(4 * PIECES, request_of())) == 4 * WHOLE
    with pytest.raises(AnswerTooLargeError, match="soundalike events export"):
        temporary.response([*4 * PIECES, b"x"], request_of())
    assert open_files() == before
    assert not caplog.records, "no other answer was in its way"


def test_clients_together_have_no_more_than_all_the_space() -> None:
    temporary = TemporaryFiles(most_bytes=8 * len(WHOLE))
    held = [temporary.response(PIECES, request_of(f"192.0.2.{number}")) for number in range(8)]
    with pytest.raises(ServerBusyError):
        temporary.response([b"x"], request_of("198.51.100.1"))
    assert body_of(held[0]) == WHOLE
    assert body_of(temporary.response([b"x"], request_of("198.51.100.1"))) == b"x"
    for one in held[1:]:
        one.close()


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    temporary = TemporaryFiles(most_bytes=8 * len(WHOLE))
    held = temporary.response(4 * PIECES, request_of("2001:db8::1"))
    with pytest.raises(ServerBusyError):
        temporary.response(PIECES, request_of("2001:db8::2"))
    held.close()


def full_disk() -> Any:
    """Return a file that can be opened, and takes nothing."""
    return open("/dev/full", "r+b")  # noqa: PTH123 - as TemporaryFile does, which it replaces


def test_a_full_disk_is_told_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    temporary = TemporaryFiles(most_bytes=8 * 100_000)
    before = open_files()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", full_disk)
        for _ in range(3):
            with pytest.raises(ServerBusyError):
                temporary.response([bytes(90_000)], request_of())
    assert open_files() == before
    (line,) = caplog.records
    assert os.strerror(errno.ENOSPC) in line.getMessage()
    assert tempfile.gettempdir() in line.getMessage()
    assert len(body_of(temporary.response([bytes(90_000)], request_of()))) == 90_000


def test_a_folder_that_cannot_be_written_to_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(ServerBusyError):
        TemporaryFiles().response(PIECES, request_of())


def test_what_fails_in_the_middle_is_raised_and_gives_its_space_back() -> None:
    temporary = TemporaryFiles(most_bytes=8 * len(WHOLE))
    before = open_files()

    def failing() -> Iterator[bytes]:
        yield from PIECES
        msg = "away"
        raise StoreUnavailableError(msg)

    with pytest.raises(StoreUnavailableError):
        temporary.response(failing(), request_of())
    assert open_files() == before
    assert body_of(temporary.response(PIECES, request_of())) == WHOLE
