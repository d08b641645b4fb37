"""``doctor``: what is installed, what is missing and how to get it."""

import click

from soundalike.app.doctor import Check, diagnose
from soundalike.cli import options, show

_MARKS = {True: "ok", False: "wrong", None: "absent"}


@click.command(short_help="Show what is installed and what is missing.")
@options.json_output
@options.common
def doctor(*, as_json: bool) -> None:
    """Show versions, Java, Spark, decoders, event log, store and artefact; what is missing and how to get it.

    The exit code is 1 if something is wrong, not if it is only absent.
    """
    checks = diagnose(options.settings())
    is_healthy = all(check.is_ok is not False for check in checks)
    if as_json:
        show.document({"is_healthy": is_healthy, "checks": [_body(check) for check in checks]})
    else:
        show.table(
            [("", "fixed"), ("what", "fixed"), ("found", "prose")],
            [(_MARKS[check.is_ok], check.name, check.detail) for check in checks],
        )
        for check in checks:
            if check.remedy:
                show.say(f"{check.name}: {check.remedy}")
    click.get_current_context().exit(0 if is_healthy else 1)


def _body(check: Check) -> dict[str, str]:
    return {
        "name": check.name,
        "status": _MARKS[check.is_ok],
        "detail": check.detail,
        "remedy": check.remedy,
    }
