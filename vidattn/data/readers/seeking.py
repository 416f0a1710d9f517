"""Some frames of a video, by decoding only the groups of pictures that hold them."""

from collections.abc import Collection, Container, Iterable, Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vidattn.data.readers.packets import PacketIndex, demux

# Codecs in which a picture marked "not for reference" is needed by no other (H.264: nal_ref_idc = 0). In HEVC the mark
# holds within one temporal layer only, so higher layers may need the picture.
_SKIPPABLE = frozenset({"h264"})


def frames_by_seeking(
    container: InputContainer, stream: VideoStream, index: PacketIndex, indices: Collection[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """The frames `indices` in ascending order from the groups of pictures that hold them; ends early where anything
    is not as expected."""
    wanted = {index.pts[frame]: frame for frame in indices}
    try:
        for run in index.runs(wanted.values()):
            first_shown = index.packets[run.start].pts
            assert first_shown is not None  # the index is a trusted one
            packets = index.kept[run.start : run.stop] if index.kept else _seek(container, stream, index, run)
            before: int | None = None
            for frame in _decoded(stream, packets, wanted):
                if frame.pts is None or (before is not None and frame.pts <= before):
                    return  # the decoder's order is another than that of the timestamps
                if frame.is_corrupt and frame.pts >= first_shown:
                    return  # the keyframe was none; only frames shown before it may lack their past
                before = frame.pts
                if frame.pts in wanted:
                    yield wanted[frame.pts], frame
    except av.FFmpegError:
        return  # decoding from the start tells whether the file or the seeking is at fault


def _decoded(stream: VideoStream, packets: Iterable[Packet], wanted: Container[int | None]) -> Iterator[VideoFrame]:
    """What the decoder makes of the packets, in its order; pictures that no other needs only where they are wanted."""
    context = stream.codec_context
    skippable = context.codec.canonical_name in _SKIPPABLE
    context.flush_buffers()
    for packet in packets:
        context.skip_frame = "NONREF" if skippable and packet.pts not in wanted else "DEFAULT"
        yield from context.decode(packet)
    context.skip_frame = "DEFAULT"
    yield from context.decode(None)


def _seek(container: InputContainer, stream: VideoStream, index: PacketIndex, run: range) -> Iterator[Packet]:
    """The packets of a stretch from the file; fewer where they do not come in the order of the index."""
    packets = index.packets
    key = packets[run.start]
    # Containers look up one of the two times; the smaller one never lands behind the keyframe.
    target = min(t for t in (key.pts, key.dts) if t is not None)
    container.seek(target, stream=stream)
    position = None
    for packet in demux(container, stream):
        if position is None and packet.pts == key.pts:
            position = run.start
        if not packet.size or (position is not None and packet.pts != packets[position].pts):
            return
        if position is not None:
            yield packet
            position += 1
            if position == run.stop:
                return
