"""The few facts of an ELF file that copying it with its libraries needs."""

import struct
from pathlib import Path

_DYNAMIC, _LOAD = 2, 1
_NEEDED, _STRTAB = 1, 5


def needed(path: Path) -> list[str]:
    """Names of the shared libraries that a 64-bit little-endian ELF file is linked with; empty for other files."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    loads = [(address, offset, length) for kind, _, offset, address, _, length in segments if kind == _LOAD]
    tags: list[tuple[int, int]] = []
    for kind, _, offset, _, _, length in segments:
        if kind == _DYNAMIC:
            tags = list(struct.iter_unpack("<qQ", data[offset : offset + length - length % 16]))
    strings = next((value for tag, value in tags if tag == _STRTAB), None)
    if strings is None:
        return []
    start = next(
        (strings - address + offset for address, offset, length in loads if address <= strings < address + length), None
    )
    if start is None:
        return []
    names = (start + value for tag, value in tags if tag == _NEEDED)
    return [data[name : data.index(b"\0", name)].decode() for name in names]
