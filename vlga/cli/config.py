"""``vlga config``: an example configuration, or the settings' schema."""

from __future__ import annotations

import json

import click

from vlga.cli.completion import complete_presets
from vlga.config.preset import preset_names

__all__ = ["config"]


@click.command()
@click.option("--example", is_flag=True, help="A configuration file with every setting explained.")
@click.option("--schema", is_flag=True, help="The settings' JSON schema.")
@click.option(
    "--preset",
    metavar="NAME",
    default="default",
    show_default=True,
    shell_complete=complete_presets,
    help=f"The preset to start from: {', '.join(preset_names())}.",
)
def config(example: bool, schema: bool, preset: str) -> None:
    """Print an example configuration (TOML) or the settings' JSON schema."""
    from vlga.config.example import example_toml
    from vlga.config.settings import SearchConfig

    if example == schema:
        raise click.UsageError("give either --example or --schema")
    text = (
        example_toml(preset) if example else json.dumps(SearchConfig.model_json_schema(), indent=2)
    )
    click.echo(text)
