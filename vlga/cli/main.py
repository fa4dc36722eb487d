"""The entry point: finds the command, and turns every failure into one line and an exit code."""

from __future__ import annotations

import gc
import importlib
import sys
import traceback
from collections.abc import Sequence

import click

from vlga import __version__
from vlga.cli.lasting import lasting
from vlga.errors import VlgaError, nearest, plain

__all__ = ["cli", "main", "run"]

#: Each command, in the order of the help: its module in vlga.cli with its name there, and its line
#: in the help. A module is imported when its command is called: ``vlga list`` must not load torch.
_COMMANDS = {
    "search": ("search:search", "Search for a network for your images."),
    "resume": ("search:resume", "Go on with an interrupted search."),
    "stop": ("stop:stop", "Ask a running search to save and end."),
    "compare": ("compare:compare", "Compare strategies with equal budgets."),
    "list": ("searches:list_", "List the searches of a database."),
    "show": ("searches:show", "Show one search."),
    "top": ("searches:top", "Show a search's fittest individuals."),
    "individual": ("individual:individual", "Show one individual: layers, genes, learning curve."),
    "lineage": ("lineage:lineage", "Show an individual's ancestry as a tree."),
    "predict": ("predict:predict_", "Classify images with a search's winner."),
    "export": ("export:export_", "Write a search's winner as files that need no vlga."),
    "train": ("train:train", "Train a network, with or without amplified gradients."),
    "report": ("report:report", "Show what a search or a study found, with figures."),
    "delete": ("delete:delete", "Delete a search with its files."),
    "serve": ("serve:serve", "Serve searches: a page in the browser, and REST."),
    "token": ("token:token", "Make, list and revoke tokens for the service."),
    "doctor": ("doctor:doctor", "Check whether a search will run here, or on a cluster."),
    "config": ("config:config", "Print an example configuration or the settings' schema."),
    "data": ("data:data", "Look at images before a search."),
    "db": ("database:db", "Upgrade or check a database."),
}

#: What only the service calls.
_HIDDEN = {"run": "run_submitted:run"}


class _Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in _HIDDEN:
            place = _HIDDEN[cmd_name]
        elif cmd_name in _COMMANDS:
            place, _ = _COMMANDS[cmd_name]
        else:
            return None
        module, name = place.split(":")
        # Importing makes many objects and no garbage: without the collector it is a tenth faster.
        gc.disable()
        try:
            command: click.Command = getattr(importlib.import_module(f"vlga.cli.{module}"), name)
        finally:
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS | _HIDDEN:
            raise click.UsageError(f"there is no command {args[0]!r}{nearest(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nStart with: vlga search    (digits, a few minutes, no download)\n"
    'Completion in bash: eval "$(_VLGA_COMPLETE=bash_source vlga)"',
)
@click.version_option(__version__, prog_name="vlga")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def cli() -> None:
    """Find a good convolutional network for your images by evolution."""
    from vlga.cli.messages import show_messages  # not for the help, which needs no logging

    show_messages()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; without arguments show the help.

    Exit codes: 0 done; 1 failed; 2 a mistake in the command or the configuration; 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # --debug may stand anywhere: most easily at the end of the line that has just failed.
    words = [word for word in given if word != "--debug"]
    sys.stdout, sys.stderr = lasting(sys.stdout), lasting(sys.stderr)
    try:
        code = cli.main(words or ["--help"], prog_name="vlga", standalone_mode=False)
    except click.Abort:
        code = 130
    except click.ClickException as error:
        where = _command_path(error, words)
        code = _fail(f"{error.format_message().rstrip('.')}; see {where} --help", 2)
    except (VlgaError, OSError) as error:
        if "--debug" in given:
            traceback.print_exc()
        code = _fail(str(error), error.exit_code if isinstance(error, VlgaError) else 1)
    sys.exit(code if isinstance(code, int) else 0)


def run() -> None:
    """Run the command line in a process that ends with it.

    Looking for garbage in all that torch has made would take most of a second, on a busy machine
    several: longer than whoever stops a search may wait.
    """
    try:
        main()
    finally:
        gc.freeze()


def _command_path(error: click.ClickException, words: Sequence[str]) -> str:
    """Name the command to ask for help; click leaves it out if an option lacks its value."""
    if isinstance(error, click.UsageError) and error.ctx:
        return error.ctx.command_path
    return " ".join(["vlga", *(word for word in words[:1] if word in _COMMANDS)])


def _fail(message: str, code: int) -> int:
    """Print what went wrong as one line, even if a value or a library's message has several."""
    click.echo(f"vlga: {plain(' '.join(message.split()))}", err=True)
    return code
