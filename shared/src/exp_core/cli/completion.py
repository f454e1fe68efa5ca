"""``completion SHELL``: the script that teaches a shell to complete names and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


def completion_command(application: click.Command, command: str) -> click.Command:
    """The verb; the script goes to standard output."""

    def completion(shell: str) -> None:
        made = get_completion_class(shell)
        if made is None:  # the choice above has refused it
            raise click.UsageError(f"no completion is known for {shell}")
        click.echo(made(application, {}, command, f"_{command.upper()}_COMPLETE").source())

    shells = click.Choice(["bash", "zsh", "fish"])
    text = f'Print a completion script: eval "$({command} completion bash)" in your shell\'s start-up file.'
    return click.Command("completion", params=[click.Argument(["shell"], type=shells)], callback=completion, help=text)
