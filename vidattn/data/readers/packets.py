"""Where the frames of a video lie: an index of its packets, read without decoding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

# Codecs whose every packet becomes one frame in every usual container. Not VP8 (hidden frames are packets of their
# own) and not MPEG-4 part 2 (packed B-frames in AVI): there only decoding counts.
ONE_FRAME_PER_PACKET = frozenset({"h264", "hevc", "vp9", "av1", "mpeg2video", "mjpeg"})
_KEPT_BYTES = 64 << 20
# Where keyframes are frequent, a few packets are wanted, and to read those again costs less than to hold all.
_LOOKED_AT, _FEW_KEYFRAMES = 32, 3
_PROGRESSIVE = (0, 1)  # AVFieldOrder: unknown, progressive. Two field packets may make one frame.


def demux(container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
    """The packets of one stream from where `container` stands, and an empty one that flushes the decoder.

    Raises:
        av.FFmpegError: the file cannot be read.
    """
    try:
        yield from container.demux(stream)
    except IndexError:  # PyAV, at the end, of streams that have appeared while it read (damaged FLV and MPEG-TS)
        return


class PacketInfo(NamedTuple):
    """One packet: timestamps in ticks of the stream's time base, and the demuxer's flags."""

    pts: int | None
    dts: int | None
    is_keyframe: bool
    is_discard: bool = False  # decoded but not shown: before the start of an edit list
    is_corrupt: bool = False


_fields = attrgetter(*PacketInfo._fields)


def _info(packet: Packet) -> PacketInfo:
    return PacketInfo._make(_fields(packet))


@dataclass(frozen=True)
class PacketIndex:
    """The packets of one stream in decode order, which is the order of the file.

    Args:
        packets: every packet that holds data.
        one_frame_each: whether the codec is known to make one frame of each packet.
        reorders: whether the decoder may show frames in another order than it reads them (B-frames), and nothing says
            that the times know of it.
        kept: the packets themselves, where they are small enough together and keyframes are few; else empty.
    """

    packets: tuple[PacketInfo, ...]
    one_frame_each: bool
    reorders: bool
    kept: tuple[Packet, ...] = ()

    @classmethod
    def read(cls, container: InputContainer, stream: VideoStream) -> "PacketIndex":
        """Demux `container` from where it stands to its end (about 4 microseconds a packet)."""
        packets: list[PacketInfo] = []
        kept: list[Packet] = []
        room = _KEPT_BYTES
        for packet in demux(container, stream):
            if size := packet.size:
                packets.append(_info(packet))
                room -= size
                if len(packets) == _LOOKED_AT and sum(one.is_keyframe for one in packets) > _FEW_KEYFRAMES:
                    room = -1
                if room >= 0:
                    kept.append(packet)
                elif kept:
                    kept = []
        context = stream.codec_context
        one_frame_each = context.codec.canonical_name in ONE_FRAME_PER_PACKET and context.field_order in _PROGRESSIVE
        # MP4 stores both times. Where showing lags behind decoding, its writer knew of B-frames, even if there is none.
        first = packets[0] if packets else PacketInfo(None, None, False)
        lags = first.pts is not None and first.dts is not None and first.pts > first.dts
        knows = lags and "mp4" in container.format.name
        return cls(tuple(packets), one_frame_each, context.has_b_frames and not knows, tuple(kept))

    @cached_property
    def trusted(self) -> bool:
        """Whether the shown packets, sorted by time, are the frames that decoding yields, as far as flags can tell.

        Not so where timestamps are missing or double, a packet is damaged, or the stream opens on a frame that is
        no keyframe or with frames shown before its first keyframe (they need packets that are not in the file). Nor
        where frames are reordered and timestamps are not: AVI stores none, and FFmpeg makes up times in file order.
        """
        if not self.one_frame_each or not self.shown:
            return False
        pts = [packet.pts for packet in self.packets if packet.pts is not None]
        if len(set(pts)) < len(self.packets) or any(packet.is_corrupt for packet in self.packets):
            return False
        if self.reorders and len(pts) > 1 and pts == sorted(pts):
            return False
        return self.packets[0].is_keyframe and pts[0] == min(pts)

    @cached_property
    def shown(self) -> list[int]:
        """Positions (in decode order) of the packets that become frames, in order of presentation."""
        pts = [packet.pts or 0 for packet in self.packets]
        return sorted((i for i, packet in enumerate(self.packets) if not packet.is_discard), key=pts.__getitem__)

    @cached_property
    def pts(self) -> list[int | None]:
        """Presentation time of each frame, in ticks."""
        return [self.packets[i].pts for i in self.shown]

    def runs(self, frames: Iterable[int]) -> list[range]:
        """The stretches of packets that must be read for these frames; each starts on a keyframe. For a trusted index.

        A stretch ends with its last wanted packet. Stretches that touch are one: no need to seek in between.

        >>> closed = PacketIndex(tuple(PacketInfo(i, i, i % 4 == 0) for i in range(12)), True, False)
        >>> closed.runs([1, 10])  # groups of 4 pictures; the one in the middle is jumped over
        [range(0, 2), range(8, 11)]
        >>> closed.runs([3, 4])
        [range(0, 5)]
        """
        last_needed: dict[int, int] = {}  # keyframe position -> last packet needed after it
        for frame in frames:
            position = self.shown[frame]
            start = self._decodable_from(position)
            last_needed[start] = max(position, last_needed.get(start, position))
        runs: list[range] = []
        for start, last in sorted(last_needed.items()):
            if runs and start <= runs[-1].stop:
                runs[-1] = range(runs[-1].start, max(runs[-1].stop, last + 1))
            else:
                runs.append(range(start, last + 1))
        return runs

    def seek_points(self) -> list[int]:
        """Frames that are keyframes, and of open groups the frames just before those; for a trusted index.

        >>> open_group = [(0, 0, True), (1, 1, False), (3, 2, True), (2, 3, False)]
        >>> PacketIndex(tuple(PacketInfo(*packet) for packet in open_group), True, True).seek_points()
        [0, 2, 3]
        """
        points = []
        for frame, position in enumerate(self.shown):
            if self.packets[position].is_keyframe:
                if frame > 0 and self.shown[frame - 1] > position:
                    points.append(frame - 1)
                points.append(frame)
        return points

    def _decodable_from(self, position: int) -> int:
        """The keyframe to start from. A frame shown before the keyframe it follows may need the group before, too."""
        group = self._group_of[position]
        start = self._keyframes[group]
        if group > 0 and (self.packets[position].pts or 0) < (self.packets[start].pts or 0):
            start = self._keyframes[group - 1]
        return start

    @cached_property
    def _keyframes(self) -> list[int]:
        return [i for i, packet in enumerate(self.packets) if packet.is_keyframe]

    @cached_property
    def _group_of(self) -> list[int]:
        groups, group = [], -1
        for packet in self.packets:
            group += packet.is_keyframe
            groups.append(group)
        return groups
