"""Figures of the house: sizes, functions, names, imports and copies, of a source tree or of two.

    python tests/proof/house.py [TREE] [OTHER]   # folders that hold a folder `genbench`; default: this one

Code lines leave out blank lines, comments and docstrings. Functions are measured without docstrings.
A class name has two meanings where two modules define it. A participle variable is an assigned name or
a loop variable named made, found, held and the like; arguments are counted apart. An import circle is a
set of modules that reach one another by imports at their top, those for type checkers included. Copies
are runs of at least 12 equal code lines in two files of `genbench/models`; imports do not count.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

PARTICIPLES = {
    *("made", "found", "held", "told", "given", "said", "shown", "asked", "known", "kept"),
    *("drawn", "seen", "left", "wanted", "waiting", "each"),
}
COPY = 12
Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstring_lines(tree: ast.AST) -> set[int]:
    """Returns the numbers of the lines that docstrings take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *Functions)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(text: str, tree: ast.AST) -> list[int]:
    """Returns the numbers of the lines with code on them."""
    numbers: set[int] = set()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped and token.type != tokenize.ENDMARKER:
            numbers |= set(range(token.start[0], token.end[0] + 1))
    return sorted(numbers - docstring_lines(tree))


class House:
    """The package of a tree, parsed.

    Arguments:
        root: The folder that holds `genbench`.
    """

    def __init__(self, root: Path) -> None:
        self.package = root / "genbench"
        self.texts = {p: p.read_text() for p in sorted(self.package.rglob("*.py"))}
        self.trees = {p: ast.parse(text) for p, text in self.texts.items()}
        self.code = {p: code_lines(self.texts[p], tree) for p, tree in self.trees.items()}

    def folders(self) -> dict[str, tuple[int, int]]:
        """Returns lines and code lines by folder."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for path, text in self.texts.items():
            parts = path.relative_to(self.package).parts
            folder = parts[0] if len(parts) > 1 else "(top)"
            sums[folder][0] += text.count("\n")
            sums[folder][1] += len(self.code[path])
        return {name: (a, b) for name, (a, b) in sorted(sums.items())}

    def function_sizes(self) -> list[int]:
        """Returns how many lines every function takes, without its docstring."""
        sizes = []
        for tree in self.trees.values():
            documented = docstring_lines(tree)
            for node in ast.walk(tree):
                if isinstance(node, Functions):
                    lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
                    sizes.append(len(lines - documented))
        return sorted(sizes)

    def names_of_two_classes(self) -> dict[str, list[str]]:
        """Returns class names that several modules define, and where."""
        homes: dict[str, list[str]] = defaultdict(list)
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].append(str(path.relative_to(self.package)))
        return {name: paths for name, paths in sorted(homes.items()) if len(set(paths)) > 1}

    def participles(self) -> dict[str, tuple[int, int]]:
        """Returns how many variables and arguments are named by participles, of how many."""
        counts: dict[str, tuple[int, int]] = {}
        for kind in ("variables", "arguments"):
            names = [name for tree in self.trees.values() for name in named(tree, kind)]
            counts[kind] = sum(name in PARTICIPLES for name in names), len(names)
        return counts

    def circles(self) -> list[list[str]]:
        """Returns sets of modules that import one another."""
        modules = {module_name(p, self.package): p for p in self.texts}
        graph = {
            name: {target for target in imports(self.trees[path]) if target in modules}
            for name, path in modules.items()
        }
        reach = {name: reachable(graph, name) for name in graph}
        rings: list[list[str]] = []
        for name in sorted(graph):
            ring = sorted(other for other in reach[name] if name in reach[other])
            if ring and ring not in rings:
                rings.append(ring)
        return rings

    def copies(self) -> list[tuple[str, str, int]]:
        """Returns pairs of files of models with a run of equal lines, and its length."""
        folder = self.package / "models"
        lines = {
            p: plain_lines(self.texts[p], self.trees[p], self.code[p])
            for p in self.texts
            if folder in p.parents
        }
        pairs = []
        for a, b in combinations(lines, 2):
            length = longest_run(lines[a], lines[b])
            if length >= COPY:
                pairs.append((a.name, b.name, length))
        return pairs


def named(tree: ast.AST, kind: str) -> Iterator[str]:
    """Yields the names of variables that are assigned to, or of arguments."""
    for node in ast.walk(tree):
        if kind == "variables" and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif kind == "arguments" and isinstance(node, ast.arg):
            yield node.arg


def module_name(path: Path, package: Path) -> str:
    """Returns the dotted name of a module."""
    parts = ("genbench", *path.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[str]:
    """Yields modules and members of modules that a tree imports at its top, not inside functions."""
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, Functions)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Returns all modules that one reaches."""
    reached: set[str] = set()
    todo = list(graph[start])
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += graph[name]
    return reached


def plain_lines(text: str, tree: ast.AST, code: list[int]) -> list[str]:
    """Returns the code lines of a file, white space folded; imports left out."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = text.split("\n")
    return [" ".join(lines[i - 1].split()) for i in code if i not in skipped]


def longest_run(a: list[str], b: list[str]) -> int:
    """Returns the length of the longest run of equal lines."""
    longest, before = 0, [0] * (len(b) + 1)
    for line in a:
        row = [0] * (len(b) + 1)
        for j, other in enumerate(b, 1):
            if line == other:
                row[j] = before[j - 1] + 1
                longest = max(longest, row[j])
        before = row
    return longest


def figures(root: Path) -> dict[str, str]:
    """Returns all figures of a tree by their names, as text."""
    house = House(root)
    folders, sizes = house.folders(), house.function_sizes()
    rows = {f"lines: {name}": f"{a:,} ({b:,} code)" for name, (a, b) in folders.items()}
    rows["lines: all"] = f"{sum(a for a, _ in folders.values()):,}"
    rows["code lines: all"] = f"{sum(b for _, b in folders.values()):,}"
    rows["modules"] = f"{len(house.texts)}"
    rows["functions"] = f"{len(sizes):,}"
    p90 = sizes[int(0.9 * len(sizes))]
    rows["function lines p50 / p90 / max"] = (
        f"{statistics.median(sizes):.0f} / {p90} / {sizes[-1]}"
    )
    twice = house.names_of_two_classes()
    rows["class names with two meanings"] = f"{len(twice)} {' '.join(twice)}"
    for kind, (count, everything) in house.participles().items():
        rows[f"participle {kind}"] = f"{count} of {everything:,}"
    circles = house.circles()
    rows["import circles"] = f"{len(circles)} {' | '.join(' '.join(c) for c in circles)}"
    copies = house.copies()
    rows[f"copies of >= {COPY} lines between models"] = (
        f"{len(copies)} {' '.join(f'{a}~{b}:{n}' for a, b, n in copies)}"
    )
    return rows


def main() -> None:
    """Prints the figures of one tree, or of two beside each other."""
    roots = [Path(arg) for arg in sys.argv[1:]] or [Path(__file__).parents[2]]
    columns = [figures(root) for root in roots]
    for name in dict.fromkeys(name for column in columns for name in column):
        values = [column.get(name, "-") for column in columns]
        print(f"{name:42} " + "  |  ".join(f"{value:22}" for value in values).rstrip())


if __name__ == "__main__":
    main()
