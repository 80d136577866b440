"""The code blocks of the documents, and the plugins that CONTRIBUTING shows whole."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def blocks(document, language):
    """Returns a document's fenced blocks of a language."""
    text = (ROOT / document).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def worked_examples():
    """Returns CONTRIBUTING's whole plugins: by the name of the file to save them as, code and commands."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = re.findall(
        r"`(\w+_example)\.py`[^`]*?:\n\n```python\n(.*?)```\n\n```sh\n(.*?)```",
        text,
        flags=re.DOTALL,
    )
    return {name: (code, commands.strip().splitlines()) for name, code, commands in found}
