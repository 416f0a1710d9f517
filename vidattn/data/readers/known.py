"""What is known of a file's frames before it is opened, so that opening it need not find that out."""

import base64
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vidattn.data.readers.packets import PacketInfo

_NONE = -(2**63)  # a time that is not there


class Known(NamedTuple):
    """What `vidattn check` has found out.

    Args:
        packets: `pack` of the file's packets, where they tell its frames: opening need not read through the file.
        pts: the times of all frames, in ticks, where only decoding tells them (MPEG-4 in AVI, as UCF101 and HMDB51).
        unsafe: seeking has given other frames than decoding from the start, so the file is decoded from its start.
    """

    packets: str = ""
    pts: Sequence[int | None] | None = None
    unsafe: bool = False


NOTHING = Known()


def pack(packets: Sequence[PacketInfo]) -> str:
    """A few bytes for each group of pictures: steps from packet to packet, compressed, in letters.

    >>> packets = [PacketInfo(512 * i, None, i % 12 == 0) for i in range(3000)]
    >>> unpack(pack(packets)) == tuple(packets), len(pack(packets)) < 1000
    (True, True)
    """
    flags = [packet.is_keyframe + 2 * packet.is_discard + 4 * packet.is_corrupt for packet in packets]
    times = [
        [_NONE if time is None else time for time in column] for column in zip(*(p[:2] for p in packets), strict=True)
    ]
    steps = np.diff(np.array([*times, flags], np.int64), prepend=0)  # overflows, and so does the sum that undoes it
    return base64.b64encode(zlib.compress(steps.astype("<i8").tobytes(), 9)).decode()


def unpack(packed: str) -> tuple[PacketInfo, ...]:
    """The packets in their order."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(packed)), "<i8").reshape(3, -1)
    pts, dts, flags = steps.cumsum(axis=1)
    columns = (_times(pts), _times(dts), *((flags & flag > 0).tolist() for flag in (1, 2, 4)))
    return tuple(map(PacketInfo._make, zip(*columns, strict=True)))


def _times(ticks: np.ndarray) -> list[int | None]:
    times: list[int | None] = ticks.tolist()
    return [None if time == _NONE else time for time in times] if (ticks == _NONE).any() else times
