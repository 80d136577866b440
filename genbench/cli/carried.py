"""Commands in what is printed: they name the files and plugins that were given to the verb."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from genbench.cli.common import list_given_options
from genbench.core.errors import GenbenchError
from genbench.core.registry import list_plugin_words

#: the verbs with --plugin
TAKE_PLUGINS = (
    *("run", "tune", "evaluate", "report", "leaderboard", "pictures", "claims", "validate"),
    *("list", "show", "fetch", "doctor"),
)


def carry(text: str) -> str:
    """Returns a text whose `genbench tune` commands name the files that were given to this verb."""
    from genbench.store.tuned import OTHER_PLAN

    options, params = list_given_options(), click.get_current_context().params
    words = ["-c", str(params["config"])] if "config" in options and _has_plans(params) else []
    text = text.replace(f" {OTHER_PLAN}", "") if words else text
    for option, name in (("-m", "models"), ("-d", "datasets")):
        if f" {option} " not in text:
            bare = [value.split(":")[0] for value in params.get(name) or ()]
            words += [word for value in bare for word in (option, value)]
    words += ["-o", str(params["root"])] if "root" in options and " -o " not in text else []
    return carry_plugins(text.replace("genbench tune", shlex.join(["genbench", "tune", *words])))


def carry_plugins(text: str) -> str:
    """Returns a text whose commands name the plugins that were given to this verb."""
    words = shlex.join(list_plugin_words())
    # a command ends where its sentence does, or another one begins
    own = r"(?:(?!, then genbench)[^;`\n])*"
    without = re.compile(rf"genbench (?:{'|'.join(TAKE_PLUGINS)})\b(?!{own}--plugin)")
    return without.sub(lambda found: f"{found[0]} {words}", text) if words else text


def _has_plans(params: Mapping[str, Any]) -> bool:
    """Whether the suite file that was given says how anything is tuned."""
    from genbench.store.documents import load_tuning

    return bool(load_tuning(params["config"]))


@contextmanager
def carry_in_errors() -> Iterator[None]:
    """Lets the commands of errors name the files that were given to this verb."""
    try:
        yield
    except GenbenchError as error:
        error.args = (carry(str(error)), *error.args[1:])
        raise
