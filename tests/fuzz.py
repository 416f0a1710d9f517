"""Broken videos by the thousand: `python fuzz.py READER FOLDER FIRST COUNT` reads mutated copies of FOLDER's files.

In a process of its own, because what is looked for would end the process: a crash, a hang (20 seconds on one file), an
exception that is no `VideoDecodeError`, or memory that is not given back.
"""

import faulthandler
import gc
import json
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from encode import encode_video, numbered_frames

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers import open_video

SECONDS = 20
ADDRESS_SPACE = 16 << 30


def write_seeds(folder: Path) -> Path:
    """Small sound videos of every usual container and codec."""
    frames = numbered_frames(20)
    options = {"g": "8", "bf": "2"}
    for name in ("a.mp4", "a.mkv", "a.ts", "a.flv", "a.avi", "a.h264"):
        encode_video(folder / name, frames, options=options)
    encode_video(folder / "fast.mp4", frames, options=options, container_options={"movflags": "faststart"})
    encode_video(folder / "hevc.mp4", frames, codec="libx265", options={"x265-params": "log-level=none:keyint=8"})
    encode_video(folder / "vp9.webm", frames, codec="libvpx-vp9", options={"cpu-used": "8"})
    encode_video(folder / "mpeg4.avi", frames, codec="mpeg4", options={"bf": "2"})
    return folder


def flip_bits(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 4, 40))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_bits_in_header(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    """Where a flip changes sizes, counts and codecs: the first and the last kilobyte."""
    for _ in range(rng.choice((1, 3, 10))):
        data[rng.choice((1, -1)) * rng.randrange(1, min(1024, len(data)))] ^= 1 << rng.randrange(8)
    return data


def truncate(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    return data[: rng.randrange(1, len(data))]


def cut_out(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    first = rng.randrange(len(data))
    return data[:first] + data[first + rng.randrange(1, 2000) :] or bytearray(b"\0")


def swap_headers(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    length = rng.choice((8, 32, 256, 1024))
    return bytearray(other[:length]) + data[length:]


MUTATIONS: list[Callable[[bytearray, bytes, random.Random], bytearray]] = [
    flip_bits,
    flip_bits_in_header,
    truncate,
    cut_out,
    swap_headers,
]


def mutant(seeds: list[Path], number: int) -> bytes:
    """The `number`-th broken file; always the same one."""
    rng = random.Random(number)
    data, other = (rng.choice(seeds).read_bytes() for _ in range(2))
    return bytes(MUTATIONS[number % len(MUTATIONS)](bytearray(data), other, rng))


def read(source: Path | bytes, reader: str) -> str:
    """ "frames", or "error" for the one error that may come."""
    try:
        with open_video(source, reader) as video:
            last = video.num_frames - 1
            frames = video.frames(sorted({0, last // 2, last}))
            assert frames.shape[-1] == 3
            return "frames"
    except VideoDecodeError:
        return "error"


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def main(reader: str, folder: str, first: int, count: int) -> None:
    """Prints each number before it is read, so that the last line names the file that killed the process."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    seeds = sorted(path for path in Path(folder).iterdir() if path.name != "mutant")
    outcomes: dict[str, int] = {"frames": 0, "error": 0}
    before = 0
    path = Path(folder) / "mutant"
    for number in range(first, first + count):
        print(number, flush=True)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        data = mutant(seeds, number)
        if number % 2:
            path.write_bytes(data)
        outcomes[read(path if number % 2 else data, reader)] += 1
        faulthandler.cancel_dump_traceback_later()
        if number == first + count // 2:  # by then pools and caches have their size
            gc.collect()
            before = resident_kib()
    gc.collect()
    print(json.dumps(outcomes | {"growth_kib": resident_kib() - before}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
