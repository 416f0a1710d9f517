"""The default reader: PyAV, exact on every file that FFmpeg decodes, and faster than decoding everything."""

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from torch import Tensor

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import REENCODE, Keep, Source, VideoReader, average_fps, check_indices, load_source
from vidattn.data.readers.container import open_container
from vidattn.data.readers.declared import declared_seconds
from vidattn.data.readers.filled_clip import FilledClip
from vidattn.data.readers.known import NOTHING, Known, pack, unpack
from vidattn.data.readers.library_errors import library_errors
from vidattn.data.readers.orientation import display_matrix, is_quarter_turn, upright
from vidattn.data.readers.packets import PacketIndex, demux
from vidattn.data.readers.rgb import to_rgb
from vidattn.data.readers.seeking import frames_by_seeking
from vidattn.data.readers.unsafe import is_unsafe, remember_unsafe
from vidattn.mistakes import Mistake

# Codecs in which a decoder may start at a keyframe: elsewhere we have not seen it proven, and decode from the start.
_SEEKABLE = frozenset({"h264", "hevc"})
_KEPT_BYTES = 128 << 20


class PyAVReader(VideoReader):
    """Frames of one video by PyAV, on one thread: always those of sequential decoding of the best video stream.

    Opening reads the packets without decoding them. `frames` then decodes only the groups of pictures that hold
    a wanted frame, skips pictures that nothing refers to, and stops after the last wanted packet (H.264; HEVC without
    the skipping). It checks what comes out: where a wanted timestamp does not come or FFmpeg marks a picture
    corrupt, it decodes from the start and stays with that for this file, in later readers of this process too. Where
    the packets cannot tell the number of frames (missing or double timestamps, MPEG-4 in AVI), opening decodes the
    file once to count.

    What stays unseen: in H.264 that has lost packets in its middle, FFmpeg patches the hole differently where pictures
    are skipped; packets that silently decode to nothing, and times that are not in the order of the pictures, are
    noticed only when frames around them are asked (`num_frames` and `times` are then set right).

    Args:
        source: a path, or a whole video as bytes or as a binary stream (read into memory).
        known: what is known of the file: then opening need not read its packets, or decode to count. What is wrong in
            it is noticed when frames are asked.

    Attributes:
        seekable: whether frames are reached by seeking; False once that has failed or where it is not known safe.
        indexed: whether the packets tell the frames; otherwise opening has counted them by decoding.
        codec: FFmpeg's name, e.g. "h264".

    Raises:
        VideoDecodeError: the file cannot be opened, holds no video, or does not decode.
    """

    def __init__(self, source: Source, known: Known = NOTHING) -> None:
        self.path, self._source = load_source(source)
        self._closed = False
        self._container, self._stream = open_container(self.path, self._source)
        self._reformatter = VideoReformatter()
        self._matrix: tuple[int, int, int, int] | None = None
        self._matrix_known = False
        self._kept: list[VideoFrame] = []  # every frame, not yet RGB, where counting decoded them and they are small
        try:
            with library_errors(self.path, "pyav"):
                self._open(known)
        except BaseException:
            self.close()
            raise

    def _open(self, known: Known) -> None:
        self._index = PacketIndex(unpack(known.packets), True, False) if known.packets else self._read_index()
        self.codec = self._stream.codec_context.codec.canonical_name
        self.indexed = bool(known.packets) or self._index.trusted
        self.seekable = self.indexed and self.codec in _SEEKABLE and not is_unsafe(self.path)
        if self.indexed:
            self._set_times(self._index.pts)
        elif known.pts:
            self._set_times(list(known.pts))
        else:
            self._count_by_decoding()

    @property
    def pts(self) -> list[int | None]:
        """When each frame is shown, in ticks of the file."""
        return self._pts

    @property
    def unsafe(self) -> bool:
        """Whether seeking is known to go wrong in this file, by this reader or an earlier one of this process."""
        return self.indexed and self.codec in _SEEKABLE and not self.seekable

    @property
    def known(self) -> Known:
        """What spares another reader of the file the work of this one."""
        if self.indexed and self._pts == self._index.pts:
            return Known(pack(self._index.packets), unsafe=self.unsafe)
        return Known(pts=self._pts, unsafe=self.unsafe)

    @property
    def num_hidden(self) -> int:
        """Frames that are stored and not shown: those before the start of an edit list, as cutting without re-encoding
        leaves them."""
        return sum(packet.is_discard for packet in self._index.packets)

    @property
    def declared_seconds(self) -> float | None:
        """How long the file's header says that the video lasts; see `vidattn.data.readers.declared`."""
        return declared_seconds(self._container, self._stream)

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width by height of a pixel of the upright pictures, which are as they are stored; None where it is square, or
        nothing says that it is not."""
        ratio = self._stream.sample_aspect_ratio
        if not ratio or ratio == 1:
            return None
        if not self._matrix_known:
            self.frames([0])
        return 1 / ratio if self._matrix is not None and is_quarter_turn(self._matrix) else ratio

    def seek_points(self) -> list[int]:
        """The frames where seeking can go wrong: keyframes, and what is shown before one but stored after it.

        In order of presentation; only where `indexed`.
        """
        return self._index.seek_points()

    def frames(self, indices: Sequence[int], keep: Keep | None = None) -> Tensor:
        """Frames as uint8 RGB `(T, H, W, 3)`, upright, in the order of `indices`, which may repeat; or what `keep`
        keeps of them, called with each once it is decoded.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: the file does not decode, or changes its picture size between these frames.
            ValueError: the reader is closed.
        """
        if self._closed:
            raise Mistake(f"{self.path}: the reader is closed; open the video again")
        checked = check_indices(self.path, indices, self.num_frames)
        if not checked:
            raise Mistake(f"{self.path}: no frame index was given; ask for one frame or more")
        with library_errors(self.path, "pyav"):
            return self._frames(checked, keep)

    def _frames(self, checked: list[int], keep: Keep | None) -> Tensor:
        if self.seekable:
            clip = FilledClip(self.path, checked, keep)
            for index, frame in self._by_seeking(clip.slots):
                clip.put(index, self._to_rgb(frame))
            if clip.is_full:
                return clip.tensor()
            self.seekable = False
            remember_unsafe(self.path)
        clip = FilledClip(self.path, checked, keep)
        if not self._decode_sequentially(clip):
            # The packets told another number of frames than decoding gives: count, then take what was asked.
            self._count_by_decoding()
            if max(checked) >= self.num_frames:
                raise VideoDecodeError(
                    self.path, f"pyav decoded {self.num_frames} frames but frame {max(checked)} was asked; {REENCODE}"
                )
            clip = FilledClip(self.path, checked, keep)
            self._decode_sequentially(clip)
        return clip.tensor()

    def stream(self, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """`(index, uint8 RGB (H, W, 3))` of ascending `indices`, one at a time: memory does not grow with the video.

        The file is decoded once, in order, as in `frames`. Each picture is upright, and a view that is good until the
        next one is asked for.

        Raises:
            IndexError: an index is negative or not below `num_frames`.
            VideoDecodeError: the file does not decode, or its packets tell other frames than decoding gives.
        """
        checked = check_indices(self.path, indices, self.num_frames)
        if any(first >= second for first, second in pairwise(checked)):
            raise Mistake(f"{self.path}: the frames of a stream must ascend; sort them, each once")
        done = 0
        with library_errors(self.path, "pyav"):
            for way in [self._by_seeking, self._by_counting] if self.seekable else [self._by_counting]:
                for index, frame in way(checked[done:]):
                    yield index, self._to_rgb(frame)
                    done += 1
                if done == len(checked):
                    return
                self.seekable = False
                remember_unsafe(self.path)
        raise VideoDecodeError(self.path, f"frame {checked[done]} is not where its packets say; {REENCODE}")

    def close(self) -> None:
        """Free the file and the decoder; closing again does nothing."""
        self._closed = True
        self._kept = []
        self._container.close()

    def _read_index(self) -> PacketIndex:
        try:
            index = PacketIndex.read(self._container, self._stream)
        except av.FFmpegError as error:
            raise VideoDecodeError(self.path, f"cannot read its packets ({error}); {REENCODE}") from error
        if not index.packets:
            raise VideoDecodeError(self.path, f"the video stream is empty; {REENCODE}")
        return index

    def _by_seeking(self, indices: Collection[int]) -> Iterator[tuple[int, VideoFrame]]:
        return frames_by_seeking(self._container, self._stream, self._index, indices)

    def _decode_all(self) -> Iterator[VideoFrame]:
        """Every frame from the start, plainly: the reference."""
        self._container.close()  # opened anew, since not every format can seek to its start
        self._container, self._stream = open_container(self.path, self._source)
        count = 0
        try:
            for packet in demux(self._container, self._stream):
                for frame in packet.decode():
                    count += 1
                    yield frame
        except av.FFmpegError as error:
            raise VideoDecodeError(
                self.path,
                f"pyav stopped after {count} frames of {len(self._index.packets)} packets ({error}); {REENCODE}",
            ) from error

    def _by_counting(self, indices: Collection[int]) -> Iterator[tuple[int, VideoFrame]]:
        """The frames `indices` in ascending order by counting from the start; ends early where the frames are not those
        of `self._pts`."""
        wanted, last = set(indices), max(indices)
        for number, frame in enumerate(self._kept or self._decode_all()):
            if number >= self.num_frames or frame.pts != self._pts[number]:
                return
            if number in wanted:
                yield number, frame
            if number == last:
                return

    def _decode_sequentially(self, clip: FilledClip) -> bool:
        """Fill `clip` by counting frames from the start; False where they are not those of `self._pts`."""
        for index, frame in self._by_counting(clip.slots):
            clip.put(index, self._to_rgb(frame))
        return clip.is_full

    def _count_by_decoding(self) -> None:
        """Set `num_frames` and `times` by decoding everything; keep the frames where they are small."""
        pts, kept, kept_bytes = [], [], 0
        for frame in self._decode_all():
            pts.append(frame.pts)
            kept_bytes += sum(plane.buffer_size for plane in frame.planes)
            if kept_bytes <= _KEPT_BYTES:
                kept.append(frame)
        if not pts:
            raise VideoDecodeError(
                self.path, f"pyav decoded no frame of {len(self._index.packets)} packets; {REENCODE}"
            )
        self._kept = kept if len(kept) == len(pts) else []
        self._set_times(pts)

    def _to_rgb(self, frame: VideoFrame) -> np.ndarray:
        """One decoded frame as upright RGB `(H, W, 3)`; a view that lives as long as the converted frame."""
        if not self._matrix_known:  # it belongs to the stream: the first frame tells
            self._matrix, self._matrix_known = display_matrix(frame), True
        return upright(to_rgb(frame, self._reformatter), self._matrix)

    def _set_times(self, pts: list[int | None]) -> None:
        self._pts = pts
        self.num_frames = len(pts)
        rate = self._stream.average_rate or self._stream.guessed_rate
        claimed = float(rate) if rate else None
        known = [p for p in pts if p is not None]
        if len(known) == len(pts) and all(a < b for a, b in pairwise(known)):
            self.times = (np.array(known, np.float64) - known[0]) * float(self._stream.time_base or 1)
        else:  # no usable timestamps: an even rate is the best guess
            self.times = np.arange(len(pts)) / (claimed or 1.0)
        self.fps = average_fps(self.times, claimed)
