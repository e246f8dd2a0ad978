"""The bytes of a weights file as named tensors: what PyTorch saves, old and new, and safetensors; told by how they begin."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from resviz.guard import door, quoted
from resviz.progress import Tick, quiet
from resviz.zoo.pickles import PickleError, Storage, Stored, unpickled

__all__ = ["CheckpointError", "Contents", "contents", "said_of", "with_card"]

_HEADER = 1 << 24  # bytes of a safetensors header or of a zip's directory: some 100,000 tensors
_TENSORS = 100_000
_PICKLE = 1 << 26
_MAGIC: Final = 0x1950A86A20F9469CFC6C  # of torch.save before 1.6
_FOREIGN: Final = {
    b"version https://git-lfs": "a Git LFS pointer and not the weights; fetch them with `git lfs pull`",
    b"<": "a web page or XML and not the weights; download the file itself",
    b"\x89HDF": "an HDF5 file, as Keras writes; save a PyTorch state_dict",
    b"\x93NUMPY": "a NumPy array; save a PyTorch state_dict",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"GGUF": "a GGUF file; save a PyTorch state_dict",
}
_SAVE: Final = "save it again with torch.save(model.state_dict(), file) or as safetensors"


class CheckpointError(ValueError):
    """A file that holds no network of this family; the message says what is missing."""


@dataclass(frozen=True)
class Contents:
    """Nested mappings with `Stored` tensors in them, and what a safetensors file says of itself."""

    tree: object
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def tensors(self) -> Mapping[str, Stored]:
        """Those that lie at the top, by name."""
        entries = self.tree.items() if isinstance(self.tree, dict) else ()
        return {str(key): value for key, value in entries if isinstance(value, Stored)}

    @property
    def recording(self) -> bytes:
        """How it was trained, as a Parquet file; empty where the file has none that can be read."""
        try:
            return base64.b64decode(self.metadata.get("recording", ""), validate=True)
        except ValueError:
            return b""


def contents(data: bytes, name: str, tick: Tick = quiet) -> Contents:
    """What a weights file holds, its numbers still unread. Raises `CheckpointError`; nothing in the file is executed."""
    shown = quoted(name)
    with door(CheckpointError, f"{shown} cannot be read as weights ({{}}); {_SAVE}"):
        if data.startswith(b"PK\x03\x04"):
            return Contents(_zipped(data, shown, tick))
        if data[8:9] == b"{":
            return _safetensors(data)
        if data.startswith(b"\x80"):
            return Contents(_legacy(data, tick))
        for start, what in _FOREIGN.items():
            if data.startswith(start):
                raise CheckpointError(f"{shown} is {what}")
        raise PickleError("it begins neither like a file of torch.save nor like safetensors" if data else "it is empty")


# ------------------------------------------------------------------------------------------- safetensors


def _split(data: bytes) -> tuple[dict[str, Any], int]:
    """A safetensors header, and where the numbers begin."""
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(_HEADER, len(data) - 8):
        raise PickleError(f"its header claims {length:,} bytes and {min(_HEADER, len(data) - 8):,} are possible")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict) or len(header) > _TENSORS:
        raise PickleError(f"its header is no list of at most {_TENSORS:,} tensors")
    return header, 8 + length


_SAFE: Final = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def _safetensors(data: bytes) -> Contents:
    """Headers are read here because the library wants a file, or copies all numbers before any was looked at."""
    header, start = _split(data)
    metadata = header.pop("__metadata__", {})
    tree = {}
    for key, entry in header.items():
        dtype, shape, (first, last) = _SAFE.get(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
        if dtype is None:
            tree[key] = Stored(shape, problem=f"of the kind {quoted(entry['dtype'])}")
            continue
        if not all(type(n) is int and 0 <= n < 2**48 for n in (first, last, *shape)) or len(shape) > 8:
            raise PickleError(f"{quoted(key)} has an impossible shape")
        stride = tuple(torch.empty(shape, device="meta").stride())
        numel = (last - first) // dtype.itemsize
        if torch.Size(shape).numel() != numel or start + last > len(data):
            raise PickleError(f"{quoted(key)} is cut off")
        storage = Storage(key, dtype, numel)
        tree[key] = Stored(shape, dtype, storage, 0, stride, read=_slice(data, start + first))
    return Contents(tree, {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {})


def _slice(data: bytes, start: int) -> Callable[[Storage], Tensor]:
    return lambda storage: _numbers(memoryview(data)[start:], storage)


def _numbers(data: memoryview, storage: Storage) -> Tensor:
    """The storage's numbers, at the beginning of `data`."""
    if len(data) < storage.numel * storage.dtype.itemsize:
        raise PickleError(f"the numbers {quoted(storage.key)} are cut off")
    if storage.numel == 0:
        return torch.empty(0, dtype=storage.dtype)
    import warnings

    with warnings.catch_warnings():  # nobody writes to it
        warnings.filterwarnings("ignore", message="The given buffer is not writable")
        return torch.frombuffer(data, dtype=storage.dtype, count=storage.numel)


def said_of(card: Mapping[str, object], recording: bytes = b"") -> dict[str, str]:
    """The metadata of a safetensors file with a card, and with a recording (Parquet) where that is not beyond what a header may hold."""
    text = base64.b64encode(recording).decode()
    return {"card": json.dumps(card, ensure_ascii=False)} | ({"recording": text} if 0 < len(text) < _HEADER // 2 else {})


def with_card(data: bytes, card: Mapping[str, object]) -> bytes:
    """A safetensors file that says in its metadata what it is, under "card"."""
    header, start = _split(data)
    metadata = header.get("__metadata__", {}) | said_of(card)
    text = json.dumps(header | {"__metadata__": metadata}, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the numbers stay aligned
    return struct.pack("<Q", len(text)) + text + data[start:]


# ------------------------------------------------------------------------------------------- torch.save


def _zipped(data: bytes, name: str, tick: Tick) -> object:
    """PyTorch 1.6 and later: a zip whose entries are stored as they are, one of them the pickle, one for each run of numbers."""
    if (size := _directory(data)) > _HEADER:
        raise PickleError(f"its table of contents claims {size >> 20:,} MB")
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = {entry.filename: entry for entry in archive.infolist()}
    pickle = next((path for path in entries if path.endswith("data.pkl") and path.count("/") <= 1), None)
    if pickle is None:
        raise CheckpointError(f"{name} is a zip without a network in it; give the file that torch.save wrote")
    root = pickle.removesuffix("data.pkl")
    if f"{root}constants.pkl" in entries:
        raise CheckpointError(f"{name} is a TorchScript program; save model.state_dict() with torch.save")

    def record(path: str, limit: int) -> memoryview:
        entry = entries.get(path)
        if entry is None:
            raise PickleError(f"its part {quoted(path)} is missing")
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise PickleError(f"its part {quoted(path)} is compressed or encrypted, which torch.save never does")
        if entry.file_size > limit:
            raise PickleError(f"its part {quoted(path)} claims {entry.file_size >> 20:,} MB")
        names, more = struct.unpack("<HH", data[entry.header_offset + 26 : entry.header_offset + 30])
        start = entry.header_offset + 30 + names + more
        return memoryview(data)[start : start + entry.file_size]

    if f"{root}byteorder" in entries and bytes(record(f"{root}byteorder", 16)) == b"big":
        raise PickleError("its numbers are big-endian")

    def read(storage: Storage) -> Tensor:
        return _numbers(record(f"{root}data/{storage.key}", len(data)), storage)

    return unpickled(io.BytesIO(record(pickle, _PICKLE)), read, tick)


def _directory(data: bytes) -> int:
    """Bytes that the zip's table of contents claims."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0:
        raise PickleError("it is cut off")
    sizes = [struct.unpack_from("<I", data, end + 12)[0] % 0xFFFFFFFF]  # all ones: it stands elsewhere
    if end >= 20 and data.startswith(b"PK\x06\x07", end - 20):
        (place,) = struct.unpack_from("<Q", data, end - 12)
        sizes += struct.unpack_from("<Q", data, place + 40) if place + 48 <= len(data) else []
    return int(max(sizes))


def _legacy(data: bytes, tick: Tick) -> object:
    """Before 1.6: five pickles, the fourth of them the checkpoint, then each run of numbers behind its length."""
    places: dict[str, int] = {}

    def read(storage: Storage) -> Tensor:
        return _numbers(memoryview(data)[places[storage.key] :], storage)

    stream, storages = io.BytesIO(data), dict[str, Storage]()
    if unpickled(stream, read, tick) != _MAGIC:
        raise PickleError("it is a pickle and not from torch.save")
    _, system, tree = (unpickled(stream, read, tick, storages) for _ in range(3))
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise PickleError("its numbers are big-endian")
    keys, place = unpickled(stream, read, tick), stream.tell()
    if not isinstance(keys, list):
        raise PickleError("it does not say which numbers it holds")
    for key in map(str, keys):
        (numel,) = struct.unpack_from("<q", data, place)
        if key not in storages or numel < 0:
            raise PickleError(f"it holds numbers {quoted(key)} that no tensor has")
        if storages[key].odd:
            raise PickleError(f"it holds numbers of the kind {storages[key].odd}")
        places[key] = place + 8
        place += 8 + numel * storages[key].dtype.itemsize
    return tree
