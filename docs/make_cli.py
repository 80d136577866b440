"""Writes docs/cli.md from what `--help` of every command prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from genbench.cli import cli

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 100
HEAD = """# Commands

Written by `make documents` from `genbench VERB --help`; edit the commands, not this page.

Completion of commands, options and the names of built-in models, data sets and suites in a shell:

```sh
eval "$(_GENBENCH_COMPLETE=bash_source genbench)"   # in ~/.bashrc
eval "$(_GENBENCH_COMPLETE=zsh_source genbench)"    # in ~/.zshrc
_GENBENCH_COMPLETE=fish_source genbench | source    # in ~/.config/fish/config.fish
```

Tables are as wide as the terminal; `--wide` leaves nothing out, `--format` and `--json` are for programs.
`NO_COLOR` is obeyed. Variables: `GENBENCH_DATA` (`--data-dir`), `GENBENCH_OFFLINE` (`--offline`),
`GENBENCH_CACHE` (the cache folder).
"""


def main() -> None:
    """Writes the page."""
    PAGE.write_text(make_page())


def make_page() -> str:
    """Returns the page: a section per command, with its help as it is printed."""
    sections = [
        f"## {path}\n\n```text\n{text}\n```\n" for path, text in list_helps(cli, "genbench")
    ]
    return "\n".join([HEAD, *sections])


def list_helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """Yields a command's path and help, and those of its subcommands."""
    context = click.Context(
        command, info_name=path, terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )
    yield path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from list_helps(child, f"{path} {name}")


if __name__ == "__main__":
    main()
