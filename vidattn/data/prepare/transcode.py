"""One video written again so that training reads it fast: small, upright, 8-bit, with a keyframe every few frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from vidattn.data.errors import VideoDecodeError
from vidattn.data.readers.base import VideoReader, as_file
from vidattn.data.readers.frame_folder import FrameFolderReader
from vidattn.data.readers.pyav import PyAVReader
from vidattn.mistakes import Mistake

# Seconds per tick: the rates 24, 25, 30, 50, 60, those times 1000/1001, and whole milliseconds are all exact.
_TICK = Fraction(1, 720_000)

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")
"""x264's, the fastest first: https://trac.ffmpeg.org/wiki/Encode/H.264"""


@dataclass(frozen=True)
class Transcoding:
    """H.264 without sound, in MP4; a video goes in as `PyAVReader` shows it, frame by frame, at the same times.

    Args:
        short_side: pixels; larger videos shrink to it, smaller ones stay as they are. Sides become even.
        keyframe_every: frames from one keyframe to the next. Fewer are read faster and take more room.
        crf: x264's quality, 0 to 51; 23 is its own default, lower is better and larger.
        preset: x264's speed.

    Raises:
        ValueError: x264 knows no such value.
    """

    short_side: int = 256
    keyframe_every: int = 8
    crf: int = 23
    preset: str = "medium"

    def __post_init__(self) -> None:
        if self.short_side < 2:
            raise Mistake(f"short_side={self.short_side} must be 2 pixels or more; 256 is usual")
        if self.keyframe_every < 1:
            raise Mistake(f"keyframe_every={self.keyframe_every} must be 1 frame or more; 8 is the default")
        if not 0 <= self.crf <= 51:
            raise Mistake(f"crf={self.crf} must be from 0, the best, to 51; 23 is the default")
        if self.preset not in PRESETS:
            raise Mistake(f"preset={self.preset} is none of x264's: {', '.join(PRESETS)}")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what comes out.

        >>> Transcoding(short_side=256).size(1080, 1920), Transcoding(short_side=256).size(241, 121)
        ((256, 456), (240, 120))
        """
        scale = min(1.0, self.short_side / min(height, width))
        even = [max(2, int(side * scale / 2 + (0.5 if scale < 1 else 0)) * 2) for side in (height, width)]
        return even[0], even[1]

    def run(self, source: str, target: Path, folder_fps: float | None = None) -> int:
        """Write `source` to `target` and look whether it became the same frames; their number.

        `target` appears only when all is well: until then it is called `*.part`.

        Args:
            folder_fps: frames per second where the source is a folder of pictures.

        Raises:
            VideoDecodeError: the source does not decode, or the result is not as it should be.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        reader = PyAVReader(source) if folder_fps is None else FrameFolderReader(source, folder_fps)
        with reader:
            self._encode(reader, part)
            self._verify(reader, part)
            num_frames = reader.num_frames
        part.rename(target)
        return num_frames

    def _encode(self, reader: VideoReader, path: Path) -> None:
        options = {"crf": str(self.crf), "preset": self.preset, "g": str(self.keyframe_every), "threads": "1"}
        # Keyframes at equal distances, each independent of what lies before it.
        options["x264-params"] = "scenecut=0:open-gop=0"
        shape: tuple[int, ...] = ()
        reformatter = VideoReformatter()
        with av.open(as_file(str(path)), "w", format="mp4", options={"movflags": "faststart"}) as output:
            for index, image in _pictures(reader):
                if not shape:
                    shape = image.shape
                    rate = Fraction(reader.fps).limit_denominator(1001)
                    if isinstance(reader, PyAVReader) and reader.pixel_aspect is not None:
                        options["aspect"] = str(reader.pixel_aspect)  # of a pixel: as stretched as it was
                    stream = output.add_stream("libx264", rate=rate, options=options)
                    stream.height, stream.width = self.size(*shape[:2])
                    stream.pix_fmt = "yuv420p"
                    context = stream.codec_context
                    context.time_base = stream.time_base = _TICK
                    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU601
                if image.shape != shape:
                    sizes = [f"{one[1]} x {one[0]}" for one in (image.shape, shape)]
                    raise VideoDecodeError(reader.path, f"frame {index} is {sizes[0]} pixels, the first is {sizes[1]}")
                frame = reformatter.reformat(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
                    stream.width,
                    stream.height,
                    "yuv420p",
                    dst_colorspace=Colorspace.ITU601,
                    dst_color_range=ColorRange.MPEG,
                    interpolation=Interpolation.BICUBIC,
                    threads=1,
                )
                frame.pts, frame.time_base = round(reader.times[index] / _TICK), _TICK
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))

    def _verify(self, reader: VideoReader, path: Path) -> None:
        """The file as training will read it: as many frames, at the same times, seekable, the last one decodable."""
        with PyAVReader(path) as written:
            last = reader.num_frames - 1
            problem = None
            if written.num_frames != reader.num_frames:
                problem = f"has {written.num_frames} frames, the source {reader.num_frames}"
            elif np.abs(written.times - (reader.times - reader.times[0])).max() > 1e-4:
                problem = "shows its frames at other times than the source"
            elif written.frames([last]).shape[1:3] != self.size(*reader.frames([last]).shape[1:3]):
                problem = "has another size than was asked"
            elif not written.seekable:
                problem = "cannot be sought in"
            if problem:
                raise VideoDecodeError(reader.path, f"what was written of it {problem}; drop the file from the list")


def _pictures(reader: VideoReader) -> Iterator[tuple[int, np.ndarray]]:
    """Number and RGB picture of every frame, in order."""
    if isinstance(reader, PyAVReader):
        yield from reader.stream(range(reader.num_frames))
    else:
        for index in range(reader.num_frames):
            yield index, reader.frames([index])[0].numpy()
