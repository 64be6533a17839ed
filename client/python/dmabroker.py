# SPDX-License-Identifier: MIT
"""Asks org.dmabroker1 for dma-bufs that every named device can use: libdmabroker(3) for Python.

    import dmabroker

    with dmabroker.Broker() as broker:
        request = dmabroker.Request(image=(640, 480, "XR24"), count=3)
        request.add_device("cpu", ["read", "write"], pitch_multiple=256)
        with broker.allocate(request) as allocation:
            with allocation.map(0, write=True) as pixels:
                pixels[:4] = b"\\xff\\xff\\xff\\xff"

A refusal is a dmabroker.Error, which is an OSError: its errno says what it is, as in libdmabroker(3). A Conflict has the
clashing constraints in Error.constraints.
"""

import contextlib
import ctypes
import errno
import mmap
import os
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

__all__ = ["Allocation", "Broker", "Constraint", "Error", "Layout", "Request"]

USES = ("scanout", "render", "texture", "decode", "encode", "capture", "output", "read", "write")
LIMITS = (
    "pitch_multiple", "pitch_exact", "pitch_linked", "pitch_min", "pitch_max", "offset_multiple", "height_multiple",
    "size_multiple", "max_width", "max_height", "contiguous", "protected", "address_bits", "min_buffers",
)  # fmt: skip
_CPU_ACCESS = ("none", "uncached", "cached")
_MAX_PLANES = 4
_READ, _WRITE = 1, 2


class Constraint(NamedTuple):
    """One requirement of a Conflict; entry is the index of a device in the request, or -1."""

    entry: int
    device: str
    constraint: str
    value: str
    source: str


class Layout(NamedTuple):
    """Pixels and bytes; planes are (offset, stride). Memory without an image has width, height and format 0."""

    width: int
    height: int
    format: int
    modifier: int
    planes: Tuple[Tuple[int, int], ...]
    size: int
    cpu_access: str


class Error(OSError):
    """A refusal, with the errno of libdmabroker(3)."""

    def __init__(self, result: int, text: str, constraints: Sequence[Constraint] = ()):
        super().__init__(-result, text)
        self.constraints = tuple(constraints)


class _Layout(ctypes.Structure):
    _fields_ = [
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("format", ctypes.c_uint32),
        ("n_planes", ctypes.c_uint32),
        ("modifier", ctypes.c_uint64),
        ("offset", ctypes.c_uint32 * _MAX_PLANES),
        ("stride", ctypes.c_uint32 * _MAX_PLANES),
        ("size", ctypes.c_uint64),
        ("cpu_access", ctypes.c_int),
    ]

    def read(self) -> Layout:
        planes = tuple((self.offset[i], self.stride[i]) for i in range(self.n_planes))
        access = _CPU_ACCESS[self.cpu_access]
        return Layout(self.width, self.height, self.format, self.modifier, planes, self.size, access)


class _Constraint(ctypes.Structure):
    _fields_ = [("entry", ctypes.c_int32)] + [
        (name, ctypes.c_char_p) for name in ("device", "constraint", "value", "source")
    ]


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ.get("DMABROKER_LIBRARY", "libdmabroker.so.0"))
    pointer, text, u32, u64, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int
    out = ctypes.POINTER(pointer)
    modifiers = ctypes.POINTER(u64)
    signatures = {
        "open": (integer, out, text),
        "close": (None, pointer),
        "error": (text, pointer),
        "error_constraints": (integer, pointer, ctypes.POINTER(ctypes.POINTER(_Constraint))),
        "set_timeout": (integer, pointer, u64),
        "request_new": (integer, out),
        "request_free": (None, pointer),
        "request_error": (text, pointer),
        "request_set_image": (integer, pointer, u32, u32, u32),
        "request_set_size": (integer, pointer, u64),
        "request_set_count": (integer, pointer, u32),
        "request_set_label": (integer, pointer, text),
        "request_set_modifiers": (integer, pointer, modifiers, ctypes.c_size_t),
        "request_add_device": (integer, pointer, text, u32),
        "request_set_limit": (integer, pointer, integer, integer, u64),
        "request_set_device_modifiers": (integer, pointer, integer, modifiers, ctypes.c_size_t),
        "allocate": (integer, pointer, pointer, out),
        "extend": (integer, pointer, u32),
        "explain": (integer, pointer, pointer, ctypes.POINTER(_Layout), out),
        "allocation_layout": (ctypes.POINTER(_Layout), pointer),
        "allocation_path": (text, pointer),
        "allocation_count": (u32, pointer),
        "allocation_fd": (integer, pointer, u32),
        "allocation_take_fd": (integer, pointer, u32),
        "allocation_release": (None, pointer),
        "cpu_begin": (integer, integer, u32),
        "cpu_end": (integer, integer, u32),
    }
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, "dmabroker_" + name)
        function.restype = result
        function.argtypes = arguments
    return library


_library = _load()
_free = ctypes.CDLL(None).free
_free.argtypes = [ctypes.c_void_p]


def _unsigned(value: int, bits: int, what: str) -> int:
    """ctypes would cut off what does not fit."""
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{what} is a whole number from 0 to {(1 << bits) - 1}")
    return value


def fourcc(name: str) -> int:
    """The number of a DRM format such as XR24."""
    if not 1 <= len(name) <= 4:
        raise ValueError(f"{name!r} is not a fourcc")
    return int.from_bytes(name.ljust(4).encode("ascii"), "little")


def _list(modifiers: Iterable[int]) -> "Tuple[ctypes.Array[ctypes.c_uint64], int]":
    all_of_them = [_unsigned(modifier, 64, "a modifier") for modifier in modifiers]
    return (ctypes.c_uint64 * len(all_of_them))(*all_of_them), len(all_of_them)


class Request:
    """What is asked for; can be used again."""

    _pointer = ctypes.c_void_p()

    def __init__(
        self,
        *,
        image: Optional[Tuple[int, int, Union[str, int]]] = None,
        size: Optional[int] = None,
        count: Optional[int] = None,
        modifiers: Optional[Iterable[int]] = None,
        label: Optional[str] = None,
    ):
        """image is (width, height, format), in pixels; size is bytes of memory without an image."""
        self._pointer = ctypes.c_void_p()
        if _library.dmabroker_request_new(ctypes.byref(self._pointer)) < 0:
            raise MemoryError
        if image is not None:
            width, height, form = image
            code = fourcc(form) if isinstance(form, str) else form
            numbers = (_unsigned(width, 32, "width"), _unsigned(height, 32, "height"), _unsigned(code, 32, "format"))
            self._check(_library.dmabroker_request_set_image(self._pointer, *numbers))
        if size is not None:
            self._check(_library.dmabroker_request_set_size(self._pointer, _unsigned(size, 64, "size")))
        if count is not None:
            self._check(_library.dmabroker_request_set_count(self._pointer, _unsigned(count, 32, "count")))
        if modifiers is not None:
            self._check(_library.dmabroker_request_set_modifiers(self._pointer, *_list(modifiers)))
        if label is not None:
            self._check(_library.dmabroker_request_set_label(self._pointer, label.encode()))

    def add_device(
        self,
        device: str,
        uses: Iterable[str] = (),
        *,
        modifiers: Optional[Iterable[int]] = None,
        **limits: int,
    ) -> int:
        """device is cpu, a node, or major:minor; limits are keys of org.dmabroker1(5) with an underscore for a hyphen.

        Gives the index of the entry, which a Conflict names.
        """
        uses = list(uses)
        unknown = [use for use in uses if use not in USES] + [name for name in limits if name not in LIMITS]
        if unknown:
            raise ValueError(f"there is no {unknown[0]}")
        bits = sum(1 << USES.index(use) for use in set(uses))
        entry: int = self._check(_library.dmabroker_request_add_device(self._pointer, device.encode(), bits))
        for name, value in limits.items():
            number = _unsigned(value, 64, name)
            self._check(_library.dmabroker_request_set_limit(self._pointer, entry, LIMITS.index(name), number))
        if modifiers is not None:
            self._check(_library.dmabroker_request_set_device_modifiers(self._pointer, entry, *_list(modifiers)))
        return entry

    def _check(self, result: int) -> int:
        if result < 0:
            raise Error(result, _library.dmabroker_request_error(self._pointer).decode())
        return result

    def __del__(self) -> None:
        _library.dmabroker_request_free(self._pointer)
        self._pointer = ctypes.c_void_p()


class Broker:
    """A connection to the service, to be used by one thread at a time; it ends with what was allocated over it."""

    def __init__(self, bus: Optional[str] = None, *, timeout: Optional[float] = None):
        """bus is system, session, a D-Bus address, or None for $DMABROKER_BUS or system; timeout of a call in seconds."""
        self._pointer = ctypes.c_void_p()
        self._allocations: Dict[int, "Allocation"] = {}
        usec = None if timeout is None else _unsigned(int(timeout * 1e6), 64, "timeout, in microseconds,")
        result = _library.dmabroker_open(ctypes.byref(self._pointer), None if bus is None else bus.encode())
        if result < 0:
            raise Error(result, os.strerror(-result))
        if usec is None:
            return
        try:
            self._check(_library.dmabroker_set_timeout(self._pointer, usec))
        except Error:
            self.close()
            raise

    def allocate(self, request: Request) -> "Allocation":
        pointer = ctypes.c_void_p()
        self._check(_library.dmabroker_allocate(self._open(), request._pointer, ctypes.byref(pointer)))
        return Allocation(self, pointer)

    def explain(self, request: Request) -> Tuple[Optional[Layout], str]:
        """The layout that would be decided, or None; and why, for a log."""
        layout = _Layout()
        text = ctypes.c_void_p()
        result = self._check(
            _library.dmabroker_explain(self._open(), request._pointer, ctypes.byref(layout), ctypes.byref(text))
        )
        try:
            return (layout.read() if result > 0 else None), ctypes.string_at(text.value).decode()
        finally:
            _free(text)

    def close(self) -> None:
        """Releases every allocation; descriptors that were taken stay valid. A map that is open makes it fail."""
        for allocation in list(self._allocations.values()):
            allocation.release()
        _library.dmabroker_close(self._pointer)
        self._pointer = ctypes.c_void_p()

    def _open(self) -> ctypes.c_void_p:
        if not self._pointer:
            raise ValueError("the broker is closed")
        return self._pointer

    def _check(self, result: int) -> int:
        if result >= 0:
            return result
        text = _library.dmabroker_error(self._pointer).decode()
        raise Error(result, text, self._constraints() if result == -errno.ENOTSUP else ())

    def _constraints(self) -> List[Constraint]:
        found = ctypes.POINTER(_Constraint)()
        n = _library.dmabroker_error_constraints(self._pointer, ctypes.byref(found))
        return [
            Constraint(one.entry, *(text.decode() for text in (one.device, one.constraint, one.value, one.source)))
            for one in found[: max(n, 0)]
        ]

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Allocation:
    """Buffers of one layout."""

    def __init__(self, broker: Broker, pointer: ctypes.c_void_p):
        self._broker = broker
        self._pointer = pointer
        self._maps = 0
        self.layout: Layout = _library.dmabroker_allocation_layout(pointer).contents.read()
        self.path: str = _library.dmabroker_allocation_path(pointer).decode()
        broker._allocations[id(self)] = self

    def __len__(self) -> int:
        return int(_library.dmabroker_allocation_count(self._held()))

    def fd(self, index: int) -> int:
        """Borrowed until the allocation is released."""
        return _check_errno(_library.dmabroker_allocation_fd(self._held(), _unsigned(index, 32, "index")))

    def take_fd(self, index: int) -> int:
        """The caller's to close."""
        return _check_errno(_library.dmabroker_allocation_take_fd(self._held(), _unsigned(index, 32, "index")))

    def extend(self, count: int) -> None:
        """Adds buffers of the same layout, all or none."""
        self._broker._check(_library.dmabroker_extend(self._held(), _unsigned(count, 32, "count")))

    @contextlib.contextmanager
    def map(self, index: int, *, read: bool = False, write: bool = False) -> Iterator[memoryview]:
        """The bytes of a buffer, in step with the devices until the block ends. Then the view cannot be used any more.

        Slices of it, and arrays over it, keep the memory mapped, but what they hold is not in step with the devices.
        """
        fd, cpu = self.fd(index), (_READ if read else 0) | (_WRITE if write else 0)
        protection = mmap.PROT_READ | mmap.PROT_WRITE if write else mmap.PROT_READ
        # Not dmabroker_map(): this one knows whether something still points into it.
        mapped = mmap.mmap(fd, self.layout.size, flags=mmap.MAP_SHARED, prot=protection)
        self._maps += 1
        try:
            _check_errno(_library.dmabroker_cpu_begin(fd, cpu), besides=errno.ENOTTY)
            try:
                with memoryview(mapped) as view:
                    yield view
            finally:
                _check_errno(_library.dmabroker_cpu_end(fd, cpu), besides=errno.ENOTTY)
        finally:
            self._maps -= 1
            with contextlib.suppress(BufferError):
                mapped.close()

    def release(self) -> None:
        """Closes what was not taken and tells the service; does nothing when that was done before."""
        if not self._pointer:
            return
        if self._maps > 0:
            raise ValueError("a buffer is mapped")
        _library.dmabroker_allocation_release(self._pointer)
        self._pointer = ctypes.c_void_p()
        del self._broker._allocations[id(self)]

    def _held(self) -> ctypes.c_void_p:
        if not self._pointer:
            raise ValueError("the allocation is released")
        return self._pointer

    def __enter__(self) -> "Allocation":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _check_errno(result: int, besides: int = 0) -> int:
    if result < 0 and result != -besides:
        raise Error(result, os.strerror(-result))
    return result
