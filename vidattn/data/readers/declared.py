"""How long a container says that a video lasts, which a file that was cut off does not reach."""

import re

from av.container import InputContainer
from av.video.stream import VideoStream

_FORMATS = frozenset({"matroska,webm", "flv"})
"""These say it at their start and are read packet by packet, so that a cut file opens as a shorter video."""


def declared_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds that the video, or else the whole file, lasts by the header; None where the header does not say it, or
    packets are missed anyway where they end too early."""
    if container.format.name not in _FORMATS or not container.duration:
        return None
    own = re.fullmatch(r"(\d+):(\d+):(\d+\.\d+)", stream.metadata.get("DURATION", ""))  # sound may last longer
    if own:
        hours, minutes, seconds = (float(one) for one in own.groups())
        return 3600 * hours + 60 * minutes + seconds
    return container.duration / 1e6


def is_cut_off(seconds: float, declared: float | None) -> bool:
    """Whether a video of `seconds` lacks more of its declared length (None: unknown) than rounding explains: a second,
    and a twentieth of it."""
    return declared is not None and declared - seconds >= max(1.0, 0.05 * declared)
