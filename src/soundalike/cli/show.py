"""Terminal output: data on stdout; progress and one-line errors on stderr."""

import json
import logging
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from soundalike.domain.ports.library import OnProgress

_BIDI = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}

_LINE_EVERY_S = 30.0
_NARROWEST = 4
_GAP = 2


def set_up_logging(*, is_debugging: bool) -> None:
    """Log to stderr.

    Parameters
    ----------
    is_debugging : bool
        Whether to log all, not only what needs attention.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if is_debugging else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    # The driver would log every document that is written, password hashes and listens too.
    logging.getLogger("pymongo").setLevel(logging.INFO)


def out() -> Console:
    """Return the console for data."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def err() -> Console:
    """Return the console for everything that is not data: wrapped on a terminal, not in logs."""
    console = Console(file=sys.stderr, highlight=False)
    console.soft_wrap = not console.is_terminal
    return console


def clean(text: str | None) -> str:
    """Make hostile text safe for a terminal: no control, direction or broken characters."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if character in _BIDI or unicodedata.category(character) in {"Cc", "Cs"}
        else character
        for character in text or ""
    )


def say(text: str) -> None:
    """Print a line that is not data."""
    err().print(escape(clean(text)))


def announce(text: str) -> None:
    """Print what the user was waiting for; on stdout, so that a script can wait for it too."""
    click.secho(clean(text), bold=True, fg="green")


def complain(text: str, items: Sequence[str] = ()) -> None:
    """Print an error in one line, and below it one line for each of the things that it lists.

    Parameters
    ----------
    text : str
        The error.
    items : sequence of str
        What it lists.
    """
    err().print(f"[bold red]error:[/] {escape(clean(text))}")
    for item in items:
        err().print(f"  {escape(clean(item))}")


def document(body: Any) -> None:  # noqa: ANN401 - any JSON
    """Print the one JSON document of a ``--json`` run."""
    click.echo(json.dumps(body, ensure_ascii=True, indent=2))


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table that fits the terminal.

    Parameters
    ----------
    columns : sequence of (heading, kind)
        ``number`` is aligned to the right; ``number`` and ``fixed`` are never cut; ``text`` is cut with
        an ellipsis if there is no room; ``prose`` is wrapped.
    rows : sequence of sequence of str
        Cells; hostile text is made safe.
    title : str
        Printed above.
    """
    console = out()
    cells = [[clean(cell) for cell in row] for row in rows]
    if title:
        console.print(Text(clean(title), style="bold"), soft_wrap=True)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for (heading, kind), width in zip(columns, _widths(columns, cells, console.width), strict=True):
        grid.add_column(
            heading,
            justify="right" if kind == "number" else "left",
            no_wrap=kind != "prose",
            overflow="fold" if kind == "prose" else "ellipsis",
            width=width,
        )
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    console.print(grid)


def _widths(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return each column's width: the widest of those that may be cut shrink first."""
    widths = [
        max(cell_len(heading), *(cell_len(row[index]) for row in rows), 1)
        for index, (heading, _) in enumerate(columns)
    ]
    flexible = [index for index, (_, kind) in enumerate(columns) if kind in {"text", "prose"}]
    gaps = _GAP * (len(columns) - 1)
    while flexible and sum(widths) + gaps > room:
        widest = max(flexible, key=lambda index: widths[index])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


class _Rate(ProgressColumn):
    """Steps per second."""

    def render(self, task: Task) -> Text:
        """Return the rate, or nothing while it is unknown."""
        return Text(f"{task.speed:,.1f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(label: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[OnProgress]:
    """Show on stderr how far something is: a bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    label : str
        What is done.
    clock : callable
        Returns seconds from any fixed point.
    """
    console = err()
    if console.is_terminal:
        with _bar(label, console) as step:
            yield step
    else:
        yield progress_lines(label, clock=clock)


def progress_lines(label: str, *, clock: Callable[[], float] = time.monotonic) -> OnProgress:
    """Return what prints a line now and then.

    Parameters
    ----------
    label : str
        What is done.
    clock : callable
        Returns seconds from any fixed point.
    """
    begun = said = clock()

    def step(done: int, total: int) -> None:
        nonlocal begun, said
        now = clock()
        if not done:
            begun = said = now
        elif now - said >= _LINE_EVERY_S:
            said = now
            say(f"{label}: {done:,}{f' of {total:,}' if total else ''} after {now - begun:,.0f} s")

    return step


@contextmanager
def _bar(label: str, console: Console) -> Iterator[OnProgress]:
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(escape(clean(label)), total=None)

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield step
