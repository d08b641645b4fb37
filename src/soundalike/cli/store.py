"""Commands about what keeps the library."""

from dataclasses import asdict

import click

from soundalike.app.copying import StorePlace, open_copier, store_place
from soundalike.cli import options, show
from soundalike.domain.errors import CopyError
from soundalike.services.store_copy.copier import CopyReport

_SHOWN_DIGITS = 16
_COLUMNS = [
    ("what", "fixed"),
    ("from", "number"),
    ("to", "number"),
    ("written", "number"),
    ("checksum", "fixed"),
    ("", "fixed"),
]


@click.group(short_help="Copy a library from store to store.")
def store() -> None:
    """Copy a library from store to store."""


@store.command(short_help="Copy all that one store holds into another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options.json_output
@options.common
def copy(source: str, target: str, *, as_json: bool) -> None:
    """Copy all that the store FROM holds into the store TO, and compare both.

    Each is a data folder, an SQLite file, mongodb://HOST/DATABASE, or - for the store that the settings
    name, so that a password in SOUNDALIKE_STORE need not be an argument, which others could see. TO holds
    nothing yet, or what an earlier run left: one that was cut short is run again, and goes on.

    Accounts, tokens, tracks, vectors, listens and profiles are copied. Artefacts and the key that signs
    sessions are no part of a store; they stay in the data folder.
    """
    settings = options.settings()
    places = store_place(source, settings), store_place(target, settings)
    with open_copier(*places) as copier:
        report = copier.copy(show.progress)
    if as_json:
        show.document(_body(report, *places))
    else:
        _print(report, *places)
    if report.problem:
        raise CopyError(report.problem)


def _print(report: CopyReport, source: StorePlace, target: StorePlace) -> None:
    show.table(
        _COLUMNS,
        [
            (
                kind.kind,
                f"{kind.source_count:,}",
                f"{kind.target_count:,}",
                f"{kind.written:,}",
                kind.target_checksum[:_SHOWN_DIGITS],
                "same" if kind.is_same else "differs",
            )
            for kind in report.kinds
        ],
    )
    if not report.problem:
        written = sum(kind.written for kind in report.kinds)
        left = "" if written else "; nothing was left to write"
        show.say(f"{source.name} and {target.name} hold the same{left}.")


def _body(report: CopyReport, source: StorePlace, target: StorePlace) -> dict[str, object]:
    kinds = [asdict(kind) | {"is_same": kind.is_same} for kind in report.kinds]
    return {
        "source": source.name,
        "target": target.name,
        "is_same": not report.problem,
        "problem": report.problem,
        "kinds": kinds,
    }
