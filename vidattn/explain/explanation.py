"""Where the model looked in one clip: as numbers, as a figure, as a small film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.calibration.probabilities import Probabilities
from vidattn.data.write_video import write_mp4
from vidattn.explain.explorer import MEAN, Exploration
from vidattn.explain.rollout import MEMORY_LIMIT, gradient_rollout, rollout
from vidattn.mistakes import Mistake
from vidattn.wording import did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each place of each frame counted for an answer.

    Attributes:
        frames: uint8 `(T, H, W, 3)`, what the model saw.
        shares: float `(T, h, w)`, a share for each patch; all sum to 1. Frames of one tubelet share theirs equally.
        class_name: the class that the map is about.
        probability: of that class.
        method: how the map was made.
        prefix: share of the class token and registers, which belong to no place; left out of `shares`.
        notes: what has to be known to read the map.
        seconds: `(T,)`, when the frames are in the video, if that is known.
        exploring: makes the page of `explore`, where a classifier explains.
    """

    frames: np.ndarray
    shares: np.ndarray
    class_name: str
    probability: float
    method: str
    prefix: float
    notes: tuple[str, ...] = ()
    seconds: Sequence[float] | None = None
    exploring: Callable[[str | Sequence[int]], Exploration] | None = field(default=None, repr=False)

    def explore(self, heads: str | Sequence[int] = MEAN) -> Exploration:
        """What each patch looks at in each step: a page that shows itself in a notebook, and that can be saved.

        Args:
            heads: beside their mean, the heads to keep, counted from 0, or "all".

        Raises:
            ValueError: this was not made by a classifier, or there is no such head.
        """
        if self.exploring is None:
            raise Mistake("this explanation was made without a classifier; call vidattn.explain.explore on the clip")
        return self.exploring(heads)

    @property
    def time_importance(self) -> np.ndarray:
        """`(T,)`: the share of each frame."""
        return self.shares.sum((1, 2))

    def overlay(self) -> np.ndarray:
        """uint8 `(T, H', W', 3)`: the frames under heat, small ones enlarged."""
        from vidattn.plots.attention_maps import overlay  # matplotlib only where something is drawn

        return overlay(self.frames, self.shares)

    def figure(self) -> "Figure":
        """Frames, frames under heat, and the share of each frame."""
        from vidattn.plots.attention_maps import plot_attention

        return plot_attention(self.frames, self.shares, str(self).splitlines()[0], self._times())

    def save(self, path: str | Path, fps: float = 4.0) -> Path:
        """Write `.png` (the figure), or `.gif` or `.mp4` (the frames, and beside them the frames under heat); folders
        are made.

        Args:
            path: the file.
            fps: frames per second of a film, 0.01 to 1000. A GIF shows each frame for whole hundredths of a second, the
                nearest to what is asked, so at most 100.

        Raises:
            ValueError: the file's ending is none of these, or `fps` is out of range.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in (".png", ".gif", ".mp4"):
            raise Mistake(f"{path}: attention maps are written as .png, .gif or .mp4; choose one of these endings")
        if not 0.01 <= fps <= 1000:
            raise Mistake(f"fps={fps}: wanted frames per second, from 0.01 to 1000")
        if ending == ".gif" and fps > 100:
            raise Mistake(f"{path}: fps={fps}, and a GIF shows at most 100 frames a second; write .mp4, or take fewer")
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".png":
            path.write_bytes(self._repr_png_())
        elif ending == ".mp4":
            write_mp4(path, self._film(), fps)
        else:
            # The default palette takes small things' colour away, such as a moving spot's.
            octree = Image.Quantize.FASTOCTREE
            first, *others = (Image.fromarray(frame).quantize(method=octree) for frame in self._film())
            hundredths = round(100 / fps)  # Pillow, told milliseconds, would cut off what is between them
            first.save(path, save_all=True, append_images=others, duration=10 * hundredths, loop=0)
        return path

    def to_dict(self) -> dict[str, Any]:
        """Plain values: class, probability, method, time importance, seconds, shares, prefix, notes."""
        return {
            "class": self.class_name,
            "probability": self.probability,
            "method": self.method,
            "time_importance": self.time_importance.tolist(),
            "seconds": None if self.seconds is None else list(self.seconds),
            "shares": self.shares.tolist(),
            "prefix": self.prefix,
            "notes": list(self.notes),
        }

    def _times(self) -> list[str] | None:
        return None if self.seconds is None else time_labels(self.seconds)

    def _film(self) -> np.ndarray:
        from vidattn.plots.attention_maps import enlarged

        large = self.overlay()
        return np.concatenate((enlarged(self.frames, large.shape[1]), large), axis=2)

    def _repr_png_(self) -> bytes:
        from vidattn.plots import fonts

        return fonts.png(self.figure())

    def __str__(self) -> str:
        frame = int(np.argmax(self.time_importance))
        times = self._times()
        where = f"in frame {frame}" if times is None else f"at {times[frame]}"
        head = f"{self.class_name} {self.probability:.1%}, {self.method}; most of it {where}"
        return "\n".join([f"{head} ({self.time_importance[frame]:.0%})", *self.notes])

    __repr__ = __str__


def time_labels(seconds: Sequence[float]) -> list[str]:
    """Instants to a tenth of a second, or as finely as it takes to tell them apart, at most to a thousandth.

    >>> time_labels([1.0, 2.5]), time_labels([4.9, 4.933, 4.967])
    (['1.0 s', '2.5 s'], ['4.90 s', '4.93 s', '4.97 s'])
    """
    for digits in (1, 2, 3):
        labels = [f"{one:.{digits}f} s" for one in seconds]
        if len(set(labels)) == len(set(seconds)):
            break
    return labels


def explain(
    network: nn.Module,
    normalize: nn.Module,
    clip: Tensor,
    class_names: Sequence[str],
    class_name: str | None = None,
    gradients: bool = True,
    seconds: Sequence[float] | None = None,
    notes: Sequence[str] = (),
    multi_label: bool = False,
    memory_limit: float = MEMORY_LIMIT,
    calibration: Calibration = Calibration(),
) -> Explanation:
    """What each patch of `clip` counted for one answer of `network`.

    Args:
        network: a network of `vidattn.build_network`.
        normalize: from uint8 to what the network takes.
        clip: uint8 `(3, T, H, W)`.
        class_names: K names.
        class_name: the class to explain; the likeliest by default.
        gradients: follow attention that speaks for the class (`gradient_rollout`). Without, all attention, which is the
            same for every class (`rollout`): half the time and a third of the memory.
        seconds: `(T,)`, when the frames are in the video.
        notes: what has to be known about the clip.
        multi_label: each class has a probability of its own (a sigmoid, no softmax).
        memory_limit: bytes that all attention weights together may take.
        calibration: what was measured of the network's answers.

    Raises:
        ValueError: there is no such class, or the network has another number of classes than there are names.
        TypeError: the network is of another kind.
        MemoryError: the attention weights would take more than `memory_limit`.
    """
    if class_name is not None and class_name not in class_names:
        hint = did_you_mean(str(class_name), class_names, f"; it has {len(class_names)}, such as {class_names[0]!r}")
        raise Mistake(f"class {class_name!r} is unknown to the model{hint}")
    index = None if class_name is None else list(class_names).index(class_name)
    parameter = next(network.parameters(), clip.new_zeros(0, dtype=torch.float32))  # an exported one has none
    video = normalize(clip[None].to(parameter.device)).to(parameter.dtype)
    if gradients:
        result = gradient_rollout(network, video, index, memory_limit)
    else:
        result = rollout(network, video, memory_limit)
    logits = result.logits[0].float()
    if len(logits) != len(class_names):
        raise Mistake(f"the network answers with {len(logits)} classes, but {len(class_names)} have names")
    probabilities = Probabilities(multi_label, calibration)(logits)
    index = int(probabilities.argmax()) if index is None else index
    shares, notes = result.video[0], (*notes, *result.notes)
    if not shares.any():
        shares, notes = (
            torch.ones_like(shares),
            (*notes, "no attention leads from the answer to any place; equal shares"),
        )
    shares = shares.repeat_interleave(clip.shape[1] // len(shares), 0)
    return Explanation(
        frames=clip.permute(1, 2, 3, 0).cpu().numpy(),
        shares=(shares / shares.sum()).cpu().numpy(),
        class_name=class_names[index],
        probability=float(probabilities[index]),
        method="gradient-weighted rollout" if gradients else "attention rollout",
        prefix=float(result.prefix[0]),
        notes=notes,
        seconds=seconds,
    )
