"""A stand-in for an accelerator: a device whose tensors cannot meet the CPU's, and which counts waits for it.

Its tensors hold real values, in memory of the CPU, and every operation runs there, so that what runs on it
gives real numbers. To Python they lie on torch's device for backends of others, `privateuseone:0`; an
operation that is given a tensor of the CPU beside one of theirs raises, as it would on a GPU, and an
operation for which a GPU would make the host wait is noted with the line that asked for it: reading a
number (`.item()`, `bool(…)`, `.tolist()`), a copy to or from the host, and whatever has a result of a shape
that depends on values (`nonzero`, masks as indices, `bincount`, `unique`).

What it cannot tell: whether a kernel exists on a GPU, and how fast it is. Random numbers are the CPU's.

Autograd takes them for tensors of the `meta` device. A backend's own device would need threads of the
autograd engine, which are made once, at the process's first backward pass, perhaps long before; and
FakeTensorMode, which has no values, could build none of the models that look at their data when prepared.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from genbench.core.rng import Rng

#: the type of the stand-in's device, which torch keeps for backends of others
KIND = "privateuseone"
DEVICE = torch.device(KIND, 0)

#: operations whose result the host needs before it can go on
READS = {
    "_local_scalar_dense",
    "_linalg_check_errors",
    "_unique",
    "_unique2",
    "argwhere",
    "bincount",
    "equal",
    "histc",
    "masked_select",
    "multinomial",
    "nonzero",
    "repeat_interleave",
    "unique_consecutive",
    "unique_dim",
}
#: operations that copy between devices
COPIES = {"_to_copy", "copy_", "copy"}
#: operations whose indices may lie on the CPU, from which they are then copied
INDEXING = {"index", "index_put", "index_put_", "_unsafe_index", "_index_put_impl_"}
#: operations that take a number from the CPU though they are not elementwise
FILLS = {"fill_", "masked_fill", "masked_fill_"}

#: torch's functions that make a tensor of Python's numbers, at the place they are told
MAKERS = (torch.tensor, torch.as_tensor, torch.asarray)

_TORCH = str(Path(torch.__file__).parent)


class MixedDevices(RuntimeError):
    """Tensors of two devices met in one operation."""


class StandInTensor(Tensor):
    """A tensor of the stand-in; its values lie in `cpu_tensor`, on the CPU."""

    cpu_tensor: Tensor

    @staticmethod
    def __new__(cls: type[StandInTensor], cpu_tensor: Tensor) -> StandInTensor:
        """Makes a tensor of the stand-in that holds one of the CPU."""
        self = Tensor._make_wrapper_subclass(
            cls,
            cpu_tensor.shape,
            strides=cpu_tensor.stride(),
            storage_offset=cpu_tensor.storage_offset(),
            dtype=cpu_tensor.dtype,
            device=torch.device("meta"),
            requires_grad=False,
        )
        self.cpu_tensor = cpu_tensor
        return self

    def __repr__(self, **_: Any) -> str:
        return f"StandInTensor({self.cpu_tensor!r})"

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """The stand-in's."""
        return DEVICE

    @classmethod
    def __torch_dispatch__(
        cls,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return _run(func, args, kwargs or {}, lambda what: None)

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


def values(x: Tensor) -> Tensor:
    """Returns what a tensor of the stand-in holds; other tensors as they are."""
    return x.cpu_tensor if isinstance(x, StandInTensor) else x


class StandIn:
    """The device while it is open.

    Arguments:
        waits: Where the host waited for the device while it was watched, "file:line (operation)", each once.
    """

    device = DEVICE

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.watched = False

    @contextlib.contextmanager
    def watch(self) -> Iterator[list[str]]:
        """Notes waits for the device while the body runs; yields the list, empty at first."""
        self.waits, self.watched = [], True
        try:
            yield self.waits
        finally:
            self.watched = False

    def note(self, what: str) -> None:
        """Notes that the host waits, where it is watched."""
        if self.watched:
            place = f"{_asked_at()} ({what})"
            if place not in self.waits:
                self.waits.append(place)


@contextlib.contextmanager
def stand_in() -> Iterator[StandIn]:
    """Opens the device: while the body runs, tensors and random streams can be made on `DEVICE`."""
    _register()
    standin = StandIn()
    original = Rng._generator

    def generator(rng: Rng, seed: int) -> torch.Generator:
        return original(rng.to("cpu") if rng.device.type == KIND else rng, seed)

    Rng._generator = generator  # type: ignore[method-assign]
    try:
        with _Functions(), _Dispatch(standin):
            yield standin
    finally:
        Rng._generator = original  # type: ignore[method-assign]


class _Functions(TorchFunctionMode):
    """Sees what torch's own functions would hide: tensors made of Python's numbers."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in MAKERS and _is_ours(kwargs.get("device")):
            return func(*args, **{**kwargs, "device": "cpu"}).to(DEVICE)
        if func is Tensor.new_tensor and isinstance(args[0], StandInTensor):
            kwargs.setdefault("dtype", args[0].dtype)
            return torch.tensor(args[1], **{**kwargs, "device": "cpu"}).to(DEVICE)
        if func is Tensor.tolist and isinstance(args[0], StandInTensor):
            return args[0].to("cpu").tolist()
        if func == Tensor.data.__set__ and isinstance(args[1], StandInTensor):  # type: ignore[attr-defined]
            func(*args)
            args[0].cpu_tensor = args[1].cpu_tensor
            return None
        if func is Tensor.to and isinstance(args[0], StandInTensor) and _stays(args, kwargs):
            return args[0]
        return func(*args, **kwargs)


class _Dispatch(TorchDispatchMode):
    """Runs every operation, whose tensors are the stand-in's or which makes one there."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to mark it for a compiler would import one, which takes seconds

    def __init__(self, standin: StandIn) -> None:
        super().__init__()
        self.standin = standin

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return _run(func, args, kwargs or {}, self.standin.note)


def _run(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], note: Callable[[str], None]
) -> Any:
    """Runs an operation on values of the CPU; its results lie where its arguments do, or where it says."""
    tensors: list[Tensor] = []
    inner = _hold(args, tensors)
    inner_kwargs = {key: _hold(value, tensors) for key, value in kwargs.items()}
    ours = {id(x.cpu_tensor): x for x in tensors if isinstance(x, StandInTensor)}
    device = kwargs.get("device")
    lands = bool(ours) if device is None else _is_ours(device)
    if not ours and not lands:
        return func(*args, **kwargs)
    _check(func, tensors, args, lands, note)
    if device is not None:
        inner_kwargs["device"] = "cpu"
    out = func(*inner, **inner_kwargs)
    return _wrap(out, ours) if lands else out


def _hold(tree: Any, tensors: list[Tensor]) -> Any:
    """Puts tensors of the CPU in place of the stand-in's tensors; collects all tensors on the way."""
    if isinstance(tree, Tensor):
        tensors.append(tree)
        return values(tree)
    if isinstance(tree, list | tuple):
        return type(tree)(_hold(x, tensors) for x in tree)
    return tree


def _wrap(tree: Any, written: dict[int, StandInTensor]) -> Any:
    """Makes results the stand-in's; what an operation wrote into and returns is the argument itself."""
    if isinstance(tree, Tensor):
        return written[id(tree)] if id(tree) in written else StandInTensor(tree)
    if isinstance(tree, list | tuple):
        return type(tree)(_wrap(x, written) for x in tree)
    return tree


@functools.cache
def _name(func: Any) -> str:
    return func._schema.name.rpartition("::")[2]


def _check(
    func: Any,
    tensors: list[Tensor],
    args: tuple[Any, ...],
    lands: bool,
    note: Callable[[str], None],
) -> None:
    """Raises where devices meet, and notes where the host waits."""
    if torch.Tag.inplace_view in func.tags:
        raise NotImplementedError(f"the stand-in has no {func}, which changes a shape in place")
    name, strangers = _name(func), [x for x in tensors if not isinstance(x, StandInTensor)]
    mixed = 0 < len(strangers) < len(tensors)
    if name in COPIES:
        if mixed or lands == bool(strangers):
            note("a copy to the host" if not lands else "a copy from the host")
    elif mixed:
        _check_strangers(func, name, tensors, strangers, note)
    if len(strangers) < len(tensors) and (
        name in READS or (name in INDEXING and _has_mask(args[1]))
    ):
        note(name)


def _check_strangers(
    func: Any,
    name: str,
    tensors: list[Tensor],
    strangers: list[Tensor],
    note: Callable[[str], None],
) -> None:
    """Raises where tensors of the CPU stand beside the stand-in's, but for what a GPU allows too.

    That are single numbers in elementwise operations, and indices, which are copied then.
    """
    if name in INDEXING and isinstance(tensors[0], StandInTensor):
        note("a copy of indices or values from the host")
        return
    single = all(x.dim() == 0 for x in strangers)
    if single and (torch.Tag.pointwise in func.tags or name in FILLS):
        return
    shapes = ", ".join(str(tuple(x.shape)) for x in strangers)
    raise MixedDevices(
        f"{name} needs tensors of one device, got some on the stand-in and on the CPU of shape {shapes}, "
        f"at {_asked_at()}; make them on the device of the others"
    )


def _is_ours(device: Any) -> bool:
    """Whether a device that an operation names is the stand-in, which autograd takes for meta."""
    return device is not None and torch.device(device).type in (KIND, "meta")


def _stays(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether `x.to(…)` of a tensor of the stand-in asks for what it is."""
    x, arguments = args[0], [*args[1:], *kwargs.values()]
    if kwargs.get("copy") or kwargs.get("memory_format") is not None:
        return False
    targets = [
        y for w in arguments for y in ((w.device, w.dtype) if isinstance(w, Tensor) else (w,))
    ]
    for one in targets:
        if isinstance(one, torch.dtype) and one != x.dtype:
            return False
        if isinstance(one, str | torch.device) and not _is_ours(one):
            return False
    return True


def _has_mask(indices: Any) -> bool:
    masks = (torch.bool, torch.uint8)
    return any(isinstance(x, Tensor) and x.dtype in masks for x in indices)


def _asked_at() -> str:
    """The line that asked for the running operation, of code that is neither torch's nor this file's."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        if file != __file__ and not file.startswith((_TORCH, "<")) and "contextlib" not in file:
            break
        frame = frame.f_back
    return f"{'/'.join(Path(frame.f_code.co_filename).parts[-2:])}:{frame.f_lineno}"


def _register() -> None:
    """Makes torch accept the device by name, once a process."""
    if hasattr(torch, KIND):
        return
    module: Any = ModuleType(f"torch.{KIND}")
    module.is_available = lambda: True
    module.is_initialized = lambda: True
    module._is_in_bad_fork = lambda: False
    module._lazy_init = lambda: None
    module.device_count = lambda: 1
    module.current_device = lambda: 0
    module.manual_seed_all = lambda seed: None  # its random numbers are the CPU's
    torch._register_device_module(KIND, module)
