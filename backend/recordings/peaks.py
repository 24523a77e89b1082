"""The shape of a sound for a player: highs and lows, counted once and kept beside the file."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

_BLOCK = 1 << 16
_FINE = 2000


def peaks_of(file: Path, count: int) -> list[float]:
    """The loudest moment of each of `count` equal parts, 0 to 1, both sides together."""
    with soundfile.SoundFile(file) as sound:
        frames = len(sound)
        if frames == 0:
            return []
        count = min(count, frames)
        highest = np.zeros(count, dtype=np.float32)
        at = 0
        for block in sound.blocks(blocksize=_BLOCK, dtype="float32", always_2d=True):
            loud = np.abs(block).max(axis=1)
            parts = (np.arange(at, at + len(loud), dtype=np.int64) * count) // frames
            np.maximum.at(highest, np.minimum(parts, count - 1), loud)
            at += len(loud)
    return [round(float(value), 3) for value in np.minimum(highest, 1.0)]


def coarser(fine: list[float], count: int) -> list[float]:
    """Fewer parts out of many: the loudest of those that fall together."""
    if count >= len(fine):
        return fine
    values = np.zeros(count, dtype=np.float64)
    np.maximum.at(values, (np.arange(len(fine)) * count) // len(fine), np.asarray(fine))
    return [round(float(value), 3) for value in values]


async def peaks(file: Path, count: int) -> list[float]:
    """As `peaks_of`, from the copy beside the file when it was counted before. Raises FileNotFoundError."""
    return await asyncio.to_thread(_peaks, file, max(1, min(count, _FINE)))


def _peaks(file: Path, count: int) -> list[float]:
    kept = beside(file)
    try:
        found: dict[str, Any] = json.loads(kept.read_text())
        if found["bytes"] == file.stat().st_size:
            return coarser(found["peaks"], count)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    if not file.exists():
        raise FileNotFoundError(file)
    fine = peaks_of(file, _FINE)
    draft = kept.with_name(f".{kept.name}.part")
    draft.write_text(json.dumps({"bytes": file.stat().st_size, "peaks": fine}))
    draft.replace(kept)
    return coarser(fine, count)


def beside(file: Path) -> Path:
    """Where the shape of a file is kept; whoever deletes the file deletes this too."""
    return file.with_name(f"{file.name}.peaks.json")
