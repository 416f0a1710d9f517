"""From an open video to what the network takes, as the checkpoint was trained."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch

from vidattn.checkpoints.renaming import WeightsError
from vidattn.checks import check_positive
from vidattn.classify.clip_views import ClipViews
from vidattn.data.clips.key_frames import KeyFrameSampling
from vidattn.data.clips.reading import read_clips
from vidattn.data.clips.sampling import (
    OfficialSampling,
    Sampler,
    SecondsSampling,
    StrideSampling,
    UniformSampling,
    VideoTimes,
    distinct,
)
from vidattn.data.clips.transforms import SpatialCrops
from vidattn.data.readers.base import VideoReader
from vidattn.data.readers.declared import is_cut_off
from vidattn.data.readers.in_memory import FramesReader
from vidattn.data.readers.pyav import PyAVReader
from vidattn.mistakes import Mistake
from vidattn.models.network import NetworkConfig
from vidattn.old_names import renewed
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.public import public_path
from vidattn.wording import counted

_OURS = (KeyFrameSampling, OfficialSampling, SecondsSampling, StrideSampling, UniformSampling)
SAMPLINGS = {public_path(rule): rule for rule in _OURS}
"""The rules that a checkpoint may name; code from elsewhere is not imported because a file says so."""

_SSV2_CLASSES = 174  # TimeSformer's Something-Something models look at the whole video
_TIMESFORMER_SECONDS = 8 * 32 / 30  # 8x32 and 16x16 at 30 frames a second
_TUBELET_SECONDS = 16 * 4 / 30  # VideoMAE's 16x4, ViViT's 32x2


@dataclass(frozen=True)
class Preparation:
    """Which frames the network sees, and at what size.

    Args:
        sampling: which frames make a clip.
        image_size: side S of the square crops in pixels.
        mean: of red, green and blue, for pixels in [0, 1].
        std: likewise.
        num_clips: clips of a video, evenly over time.
        num_crops: crops of each clip: 1 is the centre, 3 also both ends of the long side.
        short_side: of the frames before the crop, in pixels; `image_size` by default.
        assumed: what the checkpoint does not say and was chosen instead, a sentence each.
        rounding: of the crops' offsets, see `SpatialCrops`.
    """

    sampling: Sampler
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    num_clips: int = 1
    num_crops: int = 1
    short_side: int | None = None
    assumed: tuple[str, ...] = ()
    rounding: Callable[[float], int] = math.ceil

    def __post_init__(self) -> None:
        check_positive(num_clips=self.num_clips, num_crops=self.num_crops, image_size=self.image_size)

    @property
    def crops(self) -> SpatialCrops:
        """Resizes and crops frames."""
        return SpatialCrops(self.image_size, self.num_crops, self.short_side, self.rounding)

    def views(self, reader: VideoReader) -> ClipViews:
        """Every crop of every clip of an open video, none twice; each frame is decoded once."""
        times = VideoTimes(reader.num_frames, reader.fps, reader.times)
        if isinstance(reader, FramesReader) and reader.num_frames == self.sampling.num_frames:
            clips = [list(range(reader.num_frames))]  # somebody has sampled them already
        else:
            clips = distinct(self.sampling.test(times, self.num_clips))
        video = [view.transpose(0, 1) for view in read_clips(reader, clips, self.crops)]
        seconds = [[times.seconds(frame) for frame in clip] for clip in clips]
        notes = [*cut_off(reader), *repeats(clips, "video"), *fewer(len(video), self.num_clips * self.num_crops)]
        return ClipViews(reader.path, torch.stack(video), seconds, notes)

    def natural_window(self, fps: float) -> float:
        """Seconds that one clip of the rule spans; 4 where it spans any video (a Something-Something clip lasts 4).

        >>> half = (0.5, 0.5, 0.5)
        >>> Preparation(StrideSampling(8, 30), 224, half, half).natural_window(fps=30)
        8.0
        """
        rule = self.sampling
        if isinstance(rule, SecondsSampling):
            return rule.num_frames * rule.seconds_between
        if isinstance(rule, OfficialSampling):
            return rule.num_frames * rule.frame_stride / 30
        if isinstance(rule, StrideSampling):
            return rule.num_frames * rule.frame_stride / fps
        return 4.0


def preparation_of(
    config: NetworkConfig,
    stored: Preprocessing,
    sampling: Sampler | None = None,
    image_size: int | None = None,
    num_clips: int = 1,
    num_crops: int = 1,
) -> Preparation:
    """How to prepare videos for a checkpoint: as you say, else as it says, else as its kind is usually trained.

    Args:
        config: the network's configuration.
        stored: what the checkpoint says: `mean` and `std` at least.
        sampling: overrules the checkpoint's.
        image_size: overrules the checkpoint's.
        num_clips: clips of a video.
        num_crops: crops of each clip.

    Raises:
        ValueError: the patch does not divide the size, or the checkpoint's sampling is not one of ours.
        WeightsError: the checkpoint's sampling does not take the arguments that stand there.
    """
    assumed = []
    if sampling is None and stored.sampling is not None:
        sampling = _stored_sampling(stored.sampling)
    if sampling is None:
        sampling, reason = _usual_sampling(config)
        assumed.append(f"the checkpoint does not say which frames to take; {reason} (sampling=... changes it)")
    elif not hasattr(sampling, "test"):
        raise Mistake(
            f"sampling={sampling!r} is no rule; give one of vidattn.data, e.g. UniformSampling({config.num_frames})"
        )
    size = image_size if image_size is not None else stored.image_size or config.picture
    if not isinstance(size, int):
        raise Mistake(f"image_size={size}: the classifier crops squares; give image_size=..., one number")
    if size < 1:
        raise Mistake(f"image_size={size} must be at least 1, and is {config.picture} for this checkpoint")
    config.check_clip(sampling.num_frames, size, size, "image_size")
    if (size, size) != config.size:
        height, width = config.size
        assumed.append(f"the network's position table is for {height}x{width} and is interpolated to {size}x{size}")
    if sampling.num_frames != config.num_frames and config.has_time:
        assumed.append(f"the network was made for {config.num_frames} frames and gets {sampling.num_frames}")
    short_side = stored.short_side
    if image_size or (short_side and short_side < size):  # what a processor would fill with black, we enlarge
        short_side = None
    mean, std = stored.pixels
    rounding = math.floor if stored.crop_rounding == "down" else math.ceil
    return Preparation(sampling, size, mean, std, num_clips, num_crops, short_side, tuple(assumed), rounding)


def _stored_sampling(stored: SamplingRule) -> Sampler:
    path = renewed(stored.class_path)
    if path not in SAMPLINGS:
        raise Mistake(
            f"the checkpoint takes frames by {path}, which is not vidattn's own and is not imported unasked; "
            f"give sampling=..., an object of that class or one of {', '.join(rule.__name__ for rule in _OURS)}"
        )
    try:
        return SAMPLINGS[path](**stored.init_args)
    except (TypeError, ValueError) as error:
        wanted = ", ".join(field.name for field in fields(SAMPLINGS[path]))
        raise WeightsError(
            f"the checkpoint's sampling {stored} is not possible ({error}); "
            f"wanted positive numbers for {wanted}; give sampling=... or mend its init_args"
        ) from None


def _usual_sampling(config: NetworkConfig) -> tuple[Sampler, str]:
    """A rule for a checkpoint that names none, and the sentence that says so."""
    frames = config.num_frames
    if config.num_classes == _SSV2_CLASSES:
        return UniformSampling(frames), f"{frames} spread over the whole video are taken, as for Something-Something"
    seconds = _TUBELET_SECONDS if getattr(config, "tubelet_size", 1) > 1 else _TIMESFORMER_SECONDS
    return SecondsSampling(frames, seconds / frames), f"{frames} from {seconds:.1f} seconds in its middle are taken"


def repeats(clips: Sequence[Sequence[int]], what: str) -> list[str]:
    """A note where a video or window (`what`) is shorter than a clip, so that frames repeat.

    >>> repeats([[0, 1, 1, 1]], "video")
    ['the video is shorter than a clip: 2 of its 4 frames repeat others']
    """
    again = max(len(clip) - len(set(clip)) for clip in clips)
    return [f"the {what} is shorter than a clip: {again} of its {len(clips[0])} frames repeat others"] if again else []


def cut_off(reader: VideoReader) -> list[str]:
    """A note where an open file ends well before the length that its header declares."""
    declared = reader.declared_seconds if isinstance(reader, PyAVReader) else None
    end = VideoTimes(reader.num_frames, reader.fps, reader.times).seconds(reader.num_frames - 1) + 1 / reader.fps
    if not is_cut_off(end, declared):
        return []
    return [f"the file ends after {end:.1f} of the {declared:.1f} seconds that it declares: it was cut off"]


def fewer(num_views: int, wanted: int) -> list[str]:
    """A note where a video has fewer views than were asked for.

    >>> fewer(1, 10)
    ['1 view instead of 10: the others would be the same, of a video that is so short (or square)']
    """
    if num_views == wanted:
        return []
    views = counted(num_views, "view")
    return [f"{views} instead of {wanted}: the others would be the same, of a video that is so short (or square)"]


def averaged(num_views: int) -> list[str]:
    """A note where an answer is the mean over several views.

    >>> averaged(9)
    ['the mean over 9 views; the frames are those of the middle one']
    """
    return [f"the mean over {num_views} views; the frames are those of the middle one"] if num_views > 1 else []
