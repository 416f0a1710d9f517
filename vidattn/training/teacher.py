"""A trained network beside the one that learns: it watches the same clips, and nothing about it ever changes."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vidattn.checkpoints.loading import load
from vidattn.mistakes import Mistake
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.normalize import Normalize


class Teacher:
    """A network that `vidattn.load` reads, frozen and in evaluation mode.

    No module: a task that holds one does not count its weights as its own, does not write them into checkpoints and
    does not put it into training mode.

    Args:
        source: what `vidattn.load` reads.
        dtype: of its weights and of what it computes.

    Raises:
        WeightsError: the source cannot be read.
        ValueError: it holds a network of another kind.
    """

    def __init__(self, source: str, dtype: torch.dtype = torch.float32) -> None:
        loaded = load(source)
        if not isinstance(loaded.network, Network):
            raise Mistake(f"the teacher {source} is a {type(loaded.network).__name__}; wanted a network of vidattn's")
        self.source = source
        self.network: Network = loaded.network.requires_grad_(False).eval().to(dtype)
        self.normalize: Normalize = loaded.normalize
        self.class_names = loaded.class_names
        self.head_is_fresh = loaded.head_is_fresh
        self.dtype = dtype
        self.device = torch.device("cpu")

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        return self  # nobody changes it, and an average of the student's weights needs no second one

    @property
    def config(self) -> NetworkConfig:
        """The network's configuration."""
        return self.network.config

    def to(self, device: torch.device) -> None:
        """Move it there."""
        if device != self.device:
            self.network.to(device)
            self.normalize.to(device)
            self.device = device

    def clip_of(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Frames, height and width that it sees a clip of these in: its own.

        Raises:
            ValueError: frames would lie unevenly, or the picture would be squeezed.
        """
        own, (own_height, own_width) = self.config.num_frames, self.config.size
        if not self.config.has_time:
            own = frames
        if frames % own and own % frames:
            near = sorted({max(1, frames // own) * own, (frames // own + 1) * own})
            raise Mistake(
                f"the teacher {self.source} sees {own} frames and the student {frames}, of which neither is a multiple "
                f"of the other, so that frames would lie unevenly in time; give the student "
                f"num_frames={' or '.join(map(str, near))}, or take a teacher of {frames} frames"
            )
        if height * own_width != width * own_height:
            raise Mistake(
                f"the teacher {self.source} sees pictures of {own_height}x{own_width} and the student of "
                f"{height}x{width}, which is another shape (height x width): it would be squeezed; take one that sees "
                "pictures of the same shape"
            )
        return own, own_height, own_width

    def see(self, video: Tensor, normalize: Normalize) -> Tensor:
        """The same clips as it takes them: by its own normalisation, number of frames and size.

        Of more frames than it sees it gets evenly spaced ones, of fewer each several times; pictures are resized
        bilinearly, with antialiasing.

        Args:
            video: clips `(B, 3, T, H, W)` as the student takes them.
            normalize: what normalised them.
        """
        own, theirs = self.normalize, normalize
        if not (torch.equal(own.mean, theirs.mean) and torch.equal(own.std, theirs.std)):
            video = (video * theirs.std + theirs.mean - own.mean) / own.std
        frames, *size = self.clip_of(*video.shape[2:])
        if frames != video.shape[2]:
            places = (torch.arange(frames, device=video.device) * video.shape[2] + video.shape[2] // 2) // frames
            video = video[:, :, places]
        if size != list(video.shape[3:]):
            pictures = video.transpose(1, 2).flatten(0, 1)
            pictures = F.interpolate(pictures, size, mode="bilinear", align_corners=False, antialias=True)
            video = pictures.unflatten(0, (-1, frames)).transpose(1, 2)
        return video.to(self.dtype)
