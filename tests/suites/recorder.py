"""A layer under SQLite that notes each write and each sync of a file, and what somebody was told meanwhile."""

import ctypes
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OK = 0


class NoLayer(Exception):
    """This Python brings an SQLite of its own that nothing can be put under."""


@dataclass(frozen=True)
class Written:
    """A write to a file, a cut to a size (content is None), a sync (offset is None), or what somebody was told."""

    file: str = ""
    offset: int | None = None
    content: bytes | None = None
    told: dict[str, Any] | None = None


Record = list[Written]

_VOID, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
OPEN = ctypes.CFUNCTYPE(_INT, _VOID, _VOID, _VOID, _INT, _VOID)
WRITE = ctypes.CFUNCTYPE(_INT, _VOID, _VOID, _INT, _LONG)
TRUNCATE = ctypes.CFUNCTYPE(_INT, _VOID, _LONG)
SYNC = ctypes.CFUNCTYPE(_INT, _VOID, _INT)


class Methods(ctypes.Structure):
    """sqlite3_io_methods: what SQLite does with an open file."""

    _fields_ = [
        ("version", _INT),
        *((name, _VOID) for name in ("close", "read", "write", "truncate", "sync", "file_size", "lock", "unlock")),
        *((name, _VOID) for name in ("check_reserved_lock", "file_control", "sector_size", "characteristics")),
        *((name, _VOID) for name in ("shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch")),
    ]


class Layer(ctypes.Structure):
    """sqlite3_vfs: how SQLite reaches the disk."""

    _fields_ = [
        ("version", _INT),
        ("file_size", _INT),
        ("longest_path", _INT),
        ("next", _VOID),
        ("name", ctypes.c_char_p),
        ("data", _VOID),
        ("open", _VOID),
        *((f"other_{number}", _VOID) for number in range(14)),
    ]


class Recorder:
    """A layer under SQLite that notes what is written and synced, file by file, and passes it on."""

    def __init__(self) -> None:
        self.record: Record = []
        self.kept: list[Any] = []  # what C code points to must not be collected
        library = sqlite_library()
        library.sqlite3_vfs_find.restype = ctypes.POINTER(Layer)
        self.below = library.sqlite3_vfs_find(None)
        self.layer = Layer.from_buffer_copy(self.below.contents)
        self.layer.name = b"recorder"
        self._open = OPEN(self.open)
        self.layer.open = ctypes.cast(self._open, _VOID)
        self.library = library

    def __enter__(self) -> "Recorder":
        self.library.sqlite3_vfs_register(ctypes.byref(self.layer), 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.library.sqlite3_vfs_unregister(ctypes.byref(self.layer))

    def open(self, layer: int, path: int | None, file: int, flags: int, out: int) -> int:
        # The very pointer, not a copy: SQLite keeps it, and names the file beside it by what it points to.
        done: int = OPEN(self.below.contents.open)(layer, path, file, flags, out)
        if done == OK and path is not None:
            self.watch(ctypes.string_at(path).decode(), file)
        return done

    def watch(self, path: str, file: int) -> None:
        """Put our own functions in the place of those of an open file that change it."""
        place = ctypes.cast(file, ctypes.POINTER(_VOID))
        below = Methods.from_address(place[0])
        above = Methods.from_buffer_copy(below)
        write, truncate, sync = WRITE(below.write), TRUNCATE(below.truncate), SYNC(below.sync)

        def note_write(this: int, content: int, size: int, offset: int) -> int:
            self.record.append(Written(path, offset, ctypes.string_at(content, size)))
            return int(write(this, content, size, offset))

        def note_truncate(this: int, size: int) -> int:
            self.record.append(Written(path, size))
            return int(truncate(this, size))

        def note_sync(this: int, flags: int) -> int:
            done = int(sync(this, flags))
            self.record.append(Written(path))
            return done

        ours = (WRITE(note_write), TRUNCATE(note_truncate), SYNC(note_sync))
        above.write, above.truncate, above.sync = (ctypes.cast(each, _VOID) for each in ours)
        self.kept += [above, *ours]
        place[0] = ctypes.addressof(above)


def sqlite_library() -> ctypes.CDLL:
    """The very library that Python's own module uses. Raises NoLayer."""
    assert sqlite3.sqlite_version
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").split()
    found = sorted({each for each in mapped if "/libsqlite3.so" in each})
    if not found:
        raise NoLayer("This Python brings an SQLite of its own that nothing can be put under.")
    return ctypes.CDLL(found[0])
