"""The commands: the only room that prints and exits, and the one error boundary."""

import io
import sys
import traceback
from collections.abc import Sequence

import click

from soundalike import __version__
from soundalike.cli import (
    consume,
    doctor,
    events,
    fma,
    learning,
    library,
    options,
    scan,
    serving,
    show,
    store,
    users,
)
from soundalike.domain.errors import SoundalikeError

_INTERRUPTED = "interrupted; what is done is kept; run the same command again to continue"


class _InOrder(click.Group):
    """Lists commands in the order that a newcomer needs them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands as they were added."""
        return list(self.commands)


@click.group(
    cls=_InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: soundalike up ~/Music",
)
@click.version_option(__version__, "-V", "--version", package_name="soundalike")
@options.common
def cli() -> None:
    """Analyse how every track of your music sounds, and play what sounds alike.

    \b
    soundalike up ~/Music        everything: analyse, learn, serve the player
    soundalike similar "words"   what sounds like one track
    soundalike doctor            what is here, what is missing, how to get it

    Settings come from flags, then SOUNDALIKE_* variables, then soundalike.toml.
    """  # noqa: D301 - click reads \b as "keep these lines"
    show.set_up_logging(is_debugging=options.is_debugging(click.get_current_context()))


for command in (
    serving.up,
    library.extract,
    learning.tune,
    learning.build,
    library.pairs,
    library.similar,
    serving.serve,
    scan.scan,
    consume.consume,
    library.export,
    library.demo,
    fma.fma,
    events.events,
    store.store,
    users.users,
    doctor.doctor,
):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 failed, 2 called wrongly."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # titles may have letters that a terminal cannot show
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; every error ends here as one line."""
    is_debugging = "--debug" in arguments
    try:
        result = cli.main(args=list(arguments), prog_name="soundalike", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        show.complain(_INTERRUPTED)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stdout = None
        return 0
    except SoundalikeError as error:
        _trace(is_debugging=is_debugging)
        show.complain(str(error), error.items)
        return 1
    except Exception as error:  # noqa: BLE001 - the boundary: nothing may end in a bare traceback
        _trace(is_debugging=is_debugging)
        show.complain(f"unexpected {type(error).__name__}: {error}; run again with --debug to see where")
        return 1
    return result if isinstance(result, int) else 0


def _trace(*, is_debugging: bool) -> None:
    if is_debugging:
        traceback.print_exc()
