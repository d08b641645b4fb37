"""What is printed where stderr is no terminal: plain lines, one for each thing, safe to show."""

import pytest

from soundalike.cli import show


def test_a_log_gets_a_line_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([100.0, 110.0, 131.0, 140.0, 1_200.0])
    with show.progress("Analysing", clock=lambda: next(times)) as step:
        step(1, 4_000)
        step(120, 4_000)
        step(150, 4_000)
        step(3_999, 0)
    assert capsys.readouterr().err == "Analysing: 120 of 4,000 after 31 s\nAnalysing: 3,999 after 1,100 s\n"


def test_what_takes_no_time_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with show.progress("Analysing") as step:
        step(1, 2)
    assert capsys.readouterr().err == ""


def test_an_error_lists_one_thing_a_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    show.complain("there are [bold]two[/]:", ["one\nand \x1b[31mmore", "[red]other"])
    assert capsys.readouterr().err.splitlines() == [
        "error: there are [bold]two[/]:",
        "  one\N{REPLACEMENT CHARACTER}and \N{REPLACEMENT CHARACTER}[31mmore",
        "  [red]other",
    ]
