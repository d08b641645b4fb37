"""Commands for accounts, and for tokens for scripts."""

import sys

import click

from soundalike.app import open_app
from soundalike.app.backends import has_library
from soundalike.cli import options, show
from soundalike.domain.errors import AccountError
from soundalike.domain.times import rfc3339
from soundalike.domain.users import MAX_PASSWORD_LENGTH, YOU, User, check_password

_MAX_LINE_BYTES = 8 * MAX_PASSWORD_LENGTH


@click.group(short_help="Add, list and remove accounts.")
def users() -> None:
    """Add, list and remove accounts, set passwords, make tokens for scripts.

    Without accounts, everyone at this machine is the same listener. Passwords are asked for, or read from
    the first line of stdin if it is not a terminal; they are never arguments, which other users could see.
    """


@users.command(short_help="Add an account.")
@click.argument("name")
@options.common
def add(name: str) -> None:
    """Add an account named NAME; the first one takes over what was listened to here so far."""
    settings = options.settings()
    is_new = not has_library(settings.store or settings.database)
    with open_app(settings) as app:
        app.services.accounts.check_new_name(name)
        user = app.services.accounts.add(name, _ask_password())
        show.say(f"{user.name} can now log in to the player of {settings.data}.")
        if is_new:
            show.say("No library was there: a new one is made, without any music yet.")
        if user.id == YOU:
            show.say(
                f"{user.name} takes over what was listened to here so far. "
                "From now on everyone has to log in, on this machine too."
            )


@users.command(short_help="Set the password of an account.")
@click.argument("name")
@options.common
def passwd(name: str) -> None:
    """Set the password of the account NAME; its sessions end, its tokens stay."""
    with open_app(options.settings(), needs_library=True) as app:
        user = app.services.accounts.named(name)
        app.services.accounts.change_password(user.id, _ask_password())
        show.say(f"{user.name} has a new password, and is logged out everywhere.")


@users.command("list", short_help="List accounts.")
@options.json_output
@options.common
def list_users(*, as_json: bool) -> None:
    """List every account by name."""
    with open_app(options.settings(), needs_library=True) as app:
        found = app.services.accounts.users()
        tokens = [len(app.services.accounts.tokens_of(user.id)) for user in found]
    if as_json:
        show.document({"users": [_body(user, count) for user, count in zip(found, tokens, strict=True)]})
    elif found:
        show.table(
            [("name", "text"), ("id", "fixed"), ("since", "fixed"), ("tokens", "number"), ("", "fixed")],
            [
                (
                    user.name,
                    user.id,
                    user.created_at.strftime("%Y-%m-%d"),
                    str(count),
                    "administrator" if user.is_admin else "",
                )
                for user, count in zip(found, tokens, strict=True)
            ],
        )
    else:
        show.say(
            "No accounts: everyone at this machine is the same listener. Add an account with 'users add'."
        )


@users.command(short_help="Remove an account and all its data.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.common
def remove(name: str, *, yes: bool) -> None:
    """Remove the account NAME, its tokens, and everything that was learned from it."""
    with open_app(options.settings(), needs_library=True) as app:
        user = app.services.accounts.named(name)
        if not yes:
            _confirm(user)
        app.services.accounts.remove(user.id, erase=app.services.personal_data.erase)
        show.say(f"{user.name} is removed, with everything that was learned from them.")
        if not app.services.accounts.has_users():
            show.say("No accounts are left: everyone at this machine is the same listener.")


@users.command(short_help="Make the user of an account an administrator.")
@click.argument("name")
@options.common
def admin(name: str) -> None:
    """Make the user of the account NAME an administrator, as the user of the first account is."""
    with open_app(options.settings(), needs_library=True) as app:
        user = app.services.accounts.named(name)
        app.services.accounts.make_admin(user.id)
        show.say(f"{user.name} is an administrator.")


@users.command(short_help="Make a token for scripts.")
@click.argument("name")
@click.option("--label", default="", metavar="TEXT", help="What it is for.")
@options.common
def token(name: str, label: str) -> None:
    """Make a token with which a script acts as the user NAME, and print it; it is shown only this once.

    A script sends it as Authorization: Bearer TOKEN.
    """
    with open_app(options.settings(), needs_library=True) as app:
        user = app.services.accounts.named(name)
        made = app.services.accounts.make_token(user.id, label)
        click.echo(made.secret)
        show.say(f"Scripts act as {user.name} with it. It is not shown again; revoke it on the account page.")


def _body(user: User, tokens: int) -> dict[str, str | int | bool]:
    return {
        "id": user.id,
        "name": user.name,
        "created_at": rfc3339(user.created_at),
        "is_admin": user.is_admin,
        "tokens": tokens,
    }


def _ask_password() -> str:
    """Ask for a password twice without showing it, or read the first line of stdin.

    Raises
    ------
    AccountError
        If it is too short or too long.
    """
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
        return check_password(password)
    line = sys.stdin.buffer.readline(_MAX_LINE_BYTES)
    return check_password(line.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r"))


def _confirm(user: User) -> None:
    if not sys.stdin.isatty():
        msg = f"nothing was removed: add --yes to remove {user.name} and everything learned from them"
        raise AccountError(msg)
    question = f"Remove {user.name} and everything learned from them?"
    if not click.confirm(show.clean(question), err=True):
        msg = "nothing was removed"
        raise AccountError(msg)
