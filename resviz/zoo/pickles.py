"""What a pickle describes, without making any of it: nothing in the file is called, imported or allocated.

A checkpoint is a pickle of dictionaries whose tensors lie elsewhere. Here containers, numbers and text become themselves, a
tensor becomes a `Stored` that says where its numbers lie, and every other thing an `Object` that only names its kind.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from resviz.guard import quoted
from resviz.progress import Tick, quiet

__all__ = ["Object", "PickleError", "Storage", "Stored", "unpickled"]

_LIMIT = 700_000  # operations, two or three seconds; ResNet-1202 with Adam's moments has 590,742
_OFTEN = 4096  # operations between two ticks


class PickleError(ValueError):
    """A pickle that is damaged, endless or of no checkpoint; the message names the place."""


@dataclass(frozen=True)
class Storage:
    """A run of numbers in the file, by its key; `odd` names a kind that no weights have."""

    key: str
    dtype: torch.dtype
    numel: int
    odd: str = ""


@dataclass(frozen=True)
class Stored:
    """A tensor that is still in the file; `problem` says why its numbers cannot be had."""

    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    storage: Storage | None = None
    offset: int = 0
    stride: tuple[int, ...] = ()
    problem: str = ""
    read: Callable[[Storage], Tensor] | None = None  # the storage's numbers, flat

    def float(self) -> Tensor:
        """The numbers as a float32 tensor of its own."""
        if self.read is None or self.storage is None:
            raise PickleError(f"a tensor is {self.problem or 'empty'}")
        return self.read(self.storage).as_strided(self.shape, self.stride, self.offset).to(torch.float32, copy=True)


@dataclass
class Object:
    """Anything else: its kind, what it was made from, its state, and its entries where it is a kind of dictionary."""

    kind: str
    args: object = ()
    state: object = None
    entries: dict[object, object] = field(default_factory=dict)


@dataclass(frozen=True)
class _Global:
    name: str


_DTYPES: Final[Mapping[str, torch.dtype]] = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "Untyped": torch.uint8,
}
_ODD: Final = {
    "_rebuild_qtensor": "quantised",
    "_rebuild_sparse_tensor": "sparse",
    "_rebuild_meta_tensor_no_storage": "without numbers (a meta tensor)",
    "_rebuild_nested_tensor": "nested",
}


def unpickled(
    stream: io.BytesIO, read: Callable[[Storage], Tensor], tick: Tick = quiet, storages: dict[str, Storage] | None = None
) -> object:
    """What the pickle at the stream's place describes; the stream then stands behind it. Raises `PickleError`.

    `storages` gathers every run of numbers that is named.
    """
    machine = _Machine(read, {} if storages is None else storages)
    for n, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if n % _OFTEN == 0:
            tick(min(0.9, n / _LIMIT))
        if n == _LIMIT:
            raise PickleError(f"it has more than {_LIMIT:,} entries")
        if opcode.name == "STOP":
            return machine.stack.pop()
        machine.step(opcode.name, argument)
    raise PickleError("it ends too early")


class _Machine:
    """The stack, the marks and the memo of pickle's own machine."""

    def __init__(self, read: Callable[[Storage], Tensor], storages: dict[str, Storage]) -> None:
        self.read, self.storages = read, storages
        self.stack: list[object] = []
        self.below: list[list[object]] = []  # the stacks under each mark
        self.memo: dict[int, object] = {}
        self._acts: dict[str, Callable[..., None] | None] = {}

    def step(self, name: str, argument: object) -> None:
        if name not in self._acts:
            self._acts[name] = getattr(self, f"_{name.lower()}", None)
        if (act := self._acts[name]) is not None:
            act() if argument is None else act(argument)
        elif name in _TUPLES:
            count = _TUPLES[name]
            self.stack[-count:] = [tuple(self.stack[-count:])]
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif argument is not None and name not in _IGNORED:
            self.stack.append(argument)  # a number or text
        elif name not in _IGNORED:
            raise PickleError(f"it holds the operation {name}")

    def marked(self) -> list[object]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def _mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def _pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.marked()

    def _pop_mark(self) -> None:
        self.marked()

    def _dup(self) -> None:
        self.stack.append(self.stack[-1])

    def _tuple(self) -> None:
        items = self.marked()
        self.stack.append(tuple(items))

    def _list(self) -> None:
        items = self.marked()
        self.stack.append(items)

    _frozenset = _list  # an entry of a set may be anything here, and nobody asks for it

    def _dict(self) -> None:
        items = self.marked()
        self.stack.append({})
        self._set(items)

    def _set(self, items: list[object]) -> None:
        held = self.stack[-1]
        held = held.entries if isinstance(held, Object) else held
        if isinstance(held, dict):
            held.update((key, value) for key, value in zip(items[::2], items[1::2], strict=True) if _simple(key))

    def _setitem(self) -> None:
        items = self.stack[-2:]
        del self.stack[-2:]
        self._set(items)

    def _setitems(self) -> None:
        self._set(self.marked())

    def _append(self) -> None:
        item = self.stack.pop()
        if isinstance(self.stack[-1], list):
            self.stack[-1].append(item)

    def _appends(self) -> None:
        items = self.marked()
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    _additems = _appends

    def _global(self, argument: str) -> None:
        self.stack.append(_Global(argument.replace(" ", ".", 1)))

    def _stack_global(self) -> None:
        module, name = self.stack.pop(-2), self.stack.pop()
        self.stack.append(_Global(f"{module}.{name}"))

    def _inst(self, argument: str) -> None:
        args = self.marked()
        self.stack.append(Object(argument.replace(" ", ".", 1), args))

    def _obj(self) -> None:
        kind, *args = self.marked()
        self.stack.append(self.made(kind, tuple(args)))

    def _reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self.made(self.stack[-1], args)

    _newobj = _reduce

    def _newobj_ex(self) -> None:
        self.stack.pop()  # keyword arguments
        self._reduce()

    def _build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Object):
            self.stack[-1].state = state

    def _memoize(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _put(self, place: int) -> None:
        self.memo[int(place)] = self.stack[-1]

    _binput = _long_binput = _put

    def _get(self, place: int) -> None:
        self.stack.append(self.memo[int(place)])

    _binget = _long_binget = _get

    def _binpersid(self) -> None:
        found = self.stack.pop()
        if not (isinstance(found, tuple) and len(found) >= 5 and found[0] == "storage" and isinstance(found[1], _Global)):
            raise PickleError("it refers to something outside the file")
        _, kind, key, _, numel, *view = found
        if any(view):
            raise PickleError("it was written by PyTorch before 0.4; load it there and save its state_dict again")
        what = kind.name.rsplit(".", 1)[-1].removesuffix("Storage")
        if not isinstance(numel, int):
            raise PickleError("it holds a run of numbers without a length")
        dtype = _DTYPES.get(what)
        self.storages[str(key)] = Storage(str(key), dtype or torch.uint8, numel, "" if dtype else quoted(what))
        self.stack.append(self.storages[str(key)])

    def made(self, kind: object, args: object) -> object:
        """What calling `kind` would make, described."""
        name = kind.name if isinstance(kind, _Global) else type(kind).__name__
        module, _, last = name.rpartition(".")
        if module == "torch._utils" and last.startswith("_rebuild"):
            return self._rebuilt(last, _several(args))
        if last == "_rebuild_from_type_v2" and len(given := _several(args)) > 2:
            return self.made(given[0], given[2])
        if name in ("collections.OrderedDict", "collections.defaultdict", "builtins.dict"):
            pairs = given[-1] if (given := _several(args)) and isinstance(given[-1], list) else []
            return {pair[0]: pair[1] for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2 and _simple(pair[0])}
        return Object(name, args)

    def _rebuilt(self, how: str, args: Sequence[object]) -> object:
        if how.startswith("_rebuild_parameter"):
            return args[0]
        if how not in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return Stored((), problem=_ODD.get(how, f"of a special kind ({quoted(how.removeprefix('_rebuild_'))})"))
        storage, offset, shape, stride = args[:4]
        if not isinstance(storage, Storage):
            raise PickleError("a tensor has no numbers")
        if storage.odd:
            return Stored((), problem=f"of the kind {storage.odd}")
        if isinstance(shape, Object):  # torch.Size
            shape = _several(shape.args)[0]
        sizes, steps = _several(shape), _several(stride)
        numbers = [n for n in (offset, *sizes, *steps) if type(n) is int and 0 <= n < 2**48]
        if len(sizes) != len(steps) or len(sizes) > 8 or len(numbers) != 1 + 2 * len(sizes):
            raise PickleError("a tensor has an impossible shape")
        start, size, step = numbers[0], tuple(numbers[1 : 1 + len(sizes)]), tuple(numbers[1 + len(sizes) :])
        last = start + sum((wide - 1) * far for wide, far in zip(size, step, strict=True))
        count = math.prod(size)
        problem = (
            "" if count == 0 or (last < storage.numel and count <= storage.numel) else "larger than what the file holds of it"
        )
        return Stored(size, storage.dtype, storage, start, step, problem, read=None if problem else self.read)


def _several(args: object) -> Sequence[object]:
    """What a call is made with, which is a list in any file that Python wrote."""
    if not isinstance(args, tuple | list):
        raise PickleError(f"a call in it is made with a {type(args).__name__} and not with a list")
    return args


def _simple(key: object) -> bool:
    """Keys that are compared quickly and in full."""
    return isinstance(key, str | int | float | bytes | None)


_CONSTANTS: Final[Mapping[str, bool | None]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_EMPTY: Final[Mapping[str, type[object]]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
_IGNORED: Final = ("PROTO", "FRAME")
