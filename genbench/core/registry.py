"""One generic registry: names are file names, found without importing; objects are imported on use."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from genbench.core.declarations import Need, check_class, check_name, check_values
from genbench.core.errors import ContractError, SpecError, nearest, text_of, unknown

T = TypeVar("T")
C = TypeVar("C", bound=type)

REGISTRIES: dict[str, Registry] = {}
#: the plugin files and modules that were named, in order, for commands that are printed
_named: dict[str, None] = {}


class Registry(Generic[T]):
    """Creates a registry of one kind of plugin.

    The built-in plugins of a kind are the files of one folder (and its sub-folders); a file's stem is
    the name it must register, so `names` needs no import and `get` imports one file.

    Arguments:
        kind: What the plugins are, in the singular, for messages.
        package: The dotted package whose folder holds them.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._objects: dict[str, T] = {}
        self._modules = {
            path.stem: _dotted(package, path.relative_to(_folder(package)))
            for path in sorted(_folder(package).rglob("*.py"))
            if not path.stem.startswith("_")
        }
        REGISTRIES[kind] = self

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: str) -> bool:
        return name in self._modules or name in self._objects

    def is_built_in(self, name: str) -> bool:
        """Returns whether a name is that of one of genbench's own files."""
        return name in self._modules

    def names(self) -> list[str]:
        """Returns every known name, sorted."""
        return sorted({*self._modules, *self._objects})

    def add(self, name: str, thing: T) -> T:
        """Registers a thing under a name.

        Raises:
            ContractError: If a folder of results could not have the name, or something else has it.
        """
        check_name(self.kind, name, getattr(thing, "function", thing))
        if name in self._modules and not _home(thing).startswith("genbench."):
            raise ContractError(
                f"{self.kind} {name!r} is built in and cannot be replaced by {_home(thing)}; rename it"
            )
        if name in self._objects and _home(self._objects[name]) != _home(thing):
            raise ContractError(
                f"{self.kind} {name!r} is registered twice, by {_home(self._objects[name])} and by "
                f"{_home(thing)}; rename one of them"
            )
        self._objects[name] = thing
        return thing

    def get(self, name: str) -> T:
        """Returns what is registered under a name; imports its file on first use.

        Raises:
            UnknownName: With the nearest match.
        """
        if name not in self._objects and name in self._modules:
            importlib.import_module(self._modules[name])
            if name not in self._objects:
                raise ContractError(
                    f"{self._modules[name]} must register the {self.kind} {name!r}, its file name; "
                    f"add @{self.kind}({name!r})"
                )
        if name not in self._objects:
            load_entry_points()
        if name not in self._objects:
            raise unknown(self.kind, name, self.names())
        return self._objects[name]

    def registered(self) -> dict[str, T]:
        """Returns what has been registered so far, by name; imports nothing."""
        return dict(self._objects)

    def all(self) -> dict[str, T]:
        """Returns every registered thing by name; imports every file of the folder."""
        load_entry_points()
        return {name: self.get(name) for name in self.names()}


def named_callable(where: str) -> Callable[..., Any]:
    """Imports what a user names as `module:callable`; modules of the working folder are found too.

    Raises:
        SpecError: If the module cannot be imported or has no such callable.
    """
    module, _, name = where.partition(":")
    try:
        loaded = _import_here(module)
    except (Exception, SystemExit) as error:
        text = " ".join(text_of(error).split())
        raise SpecError(f"{module} cannot be imported: {type(error).__name__}: {text}") from None
    named = getattr(loaded, name, None)
    if not callable(named):
        names = [key for key in vars(loaded) if not key.startswith("_")]
        raise SpecError(f"{module} has no callable {name!r}{nearest(name, names)}")
    return named


def _import_here(module: str) -> Any:
    """Imports a module, if need be from the working folder.

    That folder comes last, and for the time of the import alone, so that a file in it cannot stand for a
    library that is imported later.
    """
    before = list(sys.path)
    sys.path.append(str(Path.cwd()))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(module)
    finally:
        sys.path[:] = before


def load_plugin(where: str) -> str:
    """Imports a plugin file (`path/to/file.py`) or a module that is named, which registers itself.

    Returns:
        The name of the module that it has become.

    Raises:
        SpecError: If it cannot be found or imported.
    """
    name = _import_plugin(where)
    _named[where] = None
    return name


def forget_named_plugins() -> None:
    """Begins a new command, of whose plugins alone those that it prints are to have any."""
    _named.clear()


def list_plugin_words(used: Iterable[tuple[str, str]] | None = None) -> list[str]:
    """Returns the words by which a command names the plugins that were named: `--plugin PATH …`.

    Every command that is printed has them by this, so that it can be typed as it stands.

    Arguments:
        used: The (kind, name) of all that the command uses; nothing is needed where all of it is built in.
            None: whatever there is.
    """
    own = used is not None and all(REGISTRIES[kind].is_built_in(name) for kind, name in used)
    return [] if own else [word for where in _named for word in ("--plugin", where)]


def _import_plugin(where: str) -> str:
    try:
        if where.endswith(".py"):
            path = Path(where).resolve()
            if not path.is_file():
                raise SpecError(
                    f"--plugin {where} is not a file; give a .py file or a module name"
                )
            place = hashlib.sha256(str(path).encode()).hexdigest()[:8]
            name = f"genbench_plugin_{path.stem}_{place}"
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None
            assert spec.loader is not None
            sys.modules[name] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        else:
            name = importlib.import_module(where).__name__
    except (ContractError, SpecError):
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(text_of(error).split())
        raise SpecError(
            f"--plugin {where} could not be imported: {type(error).__name__}: {text}"
        ) from error
    return name


def list_registered() -> dict[tuple[str, str], object]:
    """Returns all that has been registered so far, by kind and name; imports nothing."""
    return {
        (kind, name): thing
        for kind, registry in REGISTRIES.items()
        for name, thing in registry.registered().items()
    }


def list_brought(home: str, before: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Returns the (kind, name) of all that a module that was imported, or what it imported, registers.

    Arguments:
        home: The module.
        before: What was registered before.
    """
    places = {key: _home(thing) for key, thing in list_registered().items()}
    return [
        key
        for key, place in places.items()
        if place.startswith(f"{home}.")
        or (key not in before and not place.startswith("genbench."))
    ]


def brings_plugins(home: str, before: Collection[tuple[str, str]]) -> bool:
    """Returns whether a module that was imported brings any, as `list_brought` has it."""
    return bool(list_brought(home, before))


_entry_points_loaded = False


def load_entry_points() -> None:
    """Imports, once, the plugins that installed packages offer under `genbench.plugins`."""
    global _entry_points_loaded
    if _entry_points_loaded:
        return
    _entry_points_loaded = True
    for point in entry_points(group="genbench.plugins"):
        _import_plugin(point.value)


def registrar(
    registry: Registry[Any], name: str, base: type, needs: Mapping[str, Need]
) -> Callable[[C], C]:
    """Returns a decorator that names a class, registers it and hands it back.

    Arguments:
        registry: Of its kind.
        name: Its name.
        base: What it must be made from.
        needs: By attribute, what it needs; see `check_values`.
    """

    def register(cls: Any) -> Any:
        check_class(registry.kind, name, cls, base)
        check_values(registry.kind, name, cls, needs)
        cls.name = name
        return registry.add(name, cls)

    return register


def _folder(package: str) -> Path:
    return Path(__file__).parent.parent.joinpath(*package.split(".")[1:])


def _dotted(package: str, relative: Path) -> str:
    return ".".join((package, *relative.with_suffix("").parts))


def _home(thing: object) -> str:
    inner = getattr(thing, "function", thing)
    return f"{getattr(inner, '__module__', '?')}.{getattr(inner, '__qualname__', '?')}"
