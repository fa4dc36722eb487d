"""What ``vlga compare`` was asked for: its own options, read; and the command as it was typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
from click.core import ParameterSource

from vlga.cli.options import db_hint
from vlga.errors import ConfigError, nearest
from vlga.strategies import STRATEGIES, require_installed

__all__ = ["budget_settings", "parse_strategies", "typed", "without_own_options"]

_BUDGETS = ("evaluations", "epochs", "seconds")
#: Settings that options replace.
_OPTIONS = {
    "budget": "--budget, which stands for all of it",
    **{f"budget.{key}": f"--budget {key}=N" for key in _BUDGETS},
    "strategy": "--strategies A,B,...",
}
#: Those that search. A study's grid, which looks at the test images, does not.
_COMPARABLE = tuple(name for name, strategy in STRATEGIES.items() if not strategy.scores_test)


def parse_strategies(text: str | None, own: str) -> tuple[str, ...]:
    """Read names parted by commas; None means all that are installed, and says which are not.

    What is to be compared with the others is named first: of all, the configuration's own.

    Raises:
        ConfigError: a name is unknown or there twice, or needs what is not installed.
    """
    if text is None:
        return tuple(sorted(_installed(), key=lambda name: name != own))
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in _COMPARABLE:
            raise ConfigError(
                f"--strategies must be known ones, but got {name!r}{nearest(name, _COMPARABLE)}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"--strategies must name each once, but got {name!r} twice")
        require_installed(name)
    return names


def _installed() -> Iterator[str]:
    for name in _COMPARABLE:
        try:
            require_installed(name)
        except ConfigError as error:
            click.echo(f"without {name}: {error}", err=True)
        else:
            yield name


def without_own_options(settings: tuple[str, ...]) -> tuple[str, ...]:
    """Give the settings, none of which is one that this command has an option for.

    Raises:
        ConfigError: one is.
    """
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key in _OPTIONS:
            raise ConfigError(f"--set {key} would be ignored here: give {_OPTIONS[key]}")
    return settings


def budget_settings(texts: tuple[str, ...]) -> Iterator[str]:
    """Turn ``epochs=120,seconds=600`` into settings.

    Raises:
        ConfigError: one is not ``key=...``, or the key is no budget that strategies can share.
    """
    for text in ",".join(texts).split(","):
        key, equals, number = (part.strip() for part in text.partition("="))
        if not equals:
            raise ConfigError(f"--budget must be key=number, but got {text!r}")
        if key not in _BUDGETS:
            raise ConfigError(
                f"--budget must be of evaluations, epochs or seconds, but got {key!r}"
                f"{nearest(key, _BUDGETS)}"
            )
        yield f"budget.{key}={number}"


def typed(context: click.Context, name: str) -> str:
    """Give the command as it was typed, with the comparison's name and without a password."""
    words, left_out = ["vlga", "compare"], ("name", "db_url")
    for parameter in context.command.params:
        key = parameter.name or ""
        if key in left_out or context.get_parameter_source(key) != ParameterSource.COMMANDLINE:
            continue
        value = context.params[key]
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(parameter, click.Option):
                words.append(parameter.opts[0])
            if one is not True:
                words.append(str(one))
    return shlex.join([*words, "--name", name]) + db_hint(context.params["db_url"])
