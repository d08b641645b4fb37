"""Commands about the store."""

import click

from soundalike.app.copying import StoreAddress, open_copier, parse_address
from soundalike.cli import options, show
from soundalike.domain.errors import CopyError
from soundalike.services.store_copy.copier import CopyReport

_SHOWN_DIGITS = 16
_NUMBERS = [(name, "number") for name in ("from", "to", "written")]
_COLUMNS = [("what", "fixed"), *_NUMBERS, ("checksum", "fixed"), ("", "fixed")]


@click.group(short_help="Copy a library from store to store.")
def store() -> None:
    """Copy a library from store to store."""


@store.command(short_help="Copy everything in one store into another.")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@options.json_output
@options.common
def copy(source: str, target: str, *, as_json: bool) -> None:
    """Copy everything in the store FROM into the store TO, and compare both.

    Each is a data folder, an SQLite file, mongodb://HOST/DATABASE, or - for the store in the settings: a
    password in SOUNDALIKE_STORE is not shown to other users of this machine, as one in an argument would be.
    TO is empty, or has what an earlier run left. If a run was interrupted, run it again to continue; until it
    is finished, every other command refuses TO.

    Accounts, tokens, tracks, vectors, listens and profiles are copied. Artefacts and the key that signs
    sessions are not part of a store; they stay in the data folder. They belong to the copy too.
    """
    settings = options.settings()
    addresses = parse_address(source, settings), parse_address(target, settings)
    with open_copier(*addresses) as copier:
        report = copier.copy(show.progress)
    if as_json:
        show.document(_body(report, *addresses))
    else:
        _print(report, *addresses)
    if report.problem:
        raise CopyError(report.problem)


def _print(report: CopyReport, source: StoreAddress, target: StoreAddress) -> None:
    show.table(
        _COLUMNS,
        [
            (
                kind.kind,
                f"{kind.source.count:,}",
                f"{kind.target.count:,}",
                f"{kind.written:,}",
                kind.target.hex[:_SHOWN_DIGITS],
                "same" if kind.is_same else "differs",
            )
            for kind in report.kinds
        ],
    )
    if not report.problem:
        written = sum(kind.written for kind in report.kinds)
        rest = "" if written else "; there was nothing left to write"
        show.say(f"{source.name} and {target.name} are the same{rest}.")


def _body(report: CopyReport, source: StoreAddress, target: StoreAddress) -> dict[str, object]:
    kinds = [
        {
            "kind": kind.kind,
            "source_count": kind.source.count,
            "target_count": kind.target.count,
            "source_checksum": kind.source.hex,
            "target_checksum": kind.target.hex,
            "written": kind.written,
            "is_same": kind.is_same,
        }
        for kind in report.kinds
    ]
    return {
        "source": source.name,
        "target": target.name,
        "is_same": not report.problem,
        "problem": report.problem,
        "kinds": kinds,
    }
