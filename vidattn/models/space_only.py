"""The space-only baseline: an image transformer on each frame, features averaged over the frames."""

from torch import Tensor

from vidattn.attention.parts import linear
from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.models.body import Body, frames_alone, frames_of, patch_embedding
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.frame_by_frame import FrameByFrame
from vidattn.models.keep import Kept, grid_of, kept
from vidattn.models.network import EndMacs, Features, Network, Stage
from vidattn.models.positions import NoTable
from vidattn.models.readout import ReadOut


class SpaceOnlyTransformer(Body, Network, FrameByFrame):
    """TimeSformer's "space" scheme, https://arxiv.org/abs/2102.05095, section 3: no frame sees another.

    As in the official code each frame keeps its own class token through all blocks, there is no time table, and the
    mean over frames is taken before the last norm. (HF's TimeSformer lacks that mean: it returns a row per frame.)

    Args:
        config: the numbers that make the model; `config.attention` is `"space"`.
    """

    config: VideoTransformerConfig
    readout: ReadOut

    def __init__(self, config: VideoTransformerConfig) -> None:
        frame, steps = config.native_grid.frame(), parse_scheme("joint").steps
        super().__init__(config, steps, config.depth, frame, (config.tables[0], NoTable))
        self.patch = patch_embedding(config)
        self.head = linear(config.embed_dim, config.num_classes)

    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """Normalised clips `(B, 3, T, H, W)` -> tokens `(B, T * (P + N), D)`, the prefixes of all frames first."""
        keep = kept(keep)
        rows, whole, row_keep = frames_of(video, self.config, self.patch, keep)
        rows, frame = self.embed(rows, whole.frame(), row_keep)
        prefix, patches = frame.split(self.run(rows, frame))
        grid = (whole if keep is None else keep.grid(whole))._replace(prefix=whole.frames * frame.prefix)
        prefix = prefix.unflatten(0, (-1, grid.frames)).flatten(1, 2)
        tokens = grid.join(prefix, patches.squeeze(1).unflatten(0, (-1, grid.frames)))
        return Features(self.norm(tokens) if normalized else tokens, grid)

    def read(self, features: Features) -> Tensor:
        """One vector of each clip's tokens, `(B, D)`: the mean over what is read out of each frame."""
        return self._mean(self._of_each(features))

    @property
    def each_alone(self) -> bool:
        """Whether a frame stands for itself: see `frames_alone`."""
        return frames_alone(self.config)

    def of_frames(self, video: Tensor) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> what is read out of each frame, `(B, T, D)`."""
        rows, whole, _ = frames_of(video, self.config, self.patch, None)
        return self._of_rows(self.run(*self.embed(rows, whole.frame())), whole.frames)

    def over_frames(self, frames: Tensor) -> Tensor:
        """`(B, T, D)` -> logits `(B, K)`."""
        return self.head(self._mean(frames))

    def _mean(self, frames: Tensor) -> Tensor:
        mean = frames.mean(1)
        return mean if self.readout.takes_normed else self.norm(mean)

    def _of_each(self, features: Features) -> Tensor:
        frames = features.grid.frames
        frame = Grid(1, features.grid.height, features.grid.width, features.grid.prefix // frames)
        prefix = features.prefix.unflatten(1, (frames, frame.prefix)).flatten(0, 1)
        rows = frame.join(prefix, features.video.flatten(0, 1).unsqueeze(1))
        return self._of_rows(rows, frames)

    def _of_rows(self, rows: Tensor, frames: int) -> Tensor:
        return self.readout(self.norm(rows) if self.readout.takes_normed else rows).unflatten(0, (-1, frames))

    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """One stage, once for each frame of tokens."""
        grid = grid_of(self.config.grid(frames, height, width), keep)
        return [Stage(self.blocks, grid.frame(), grid.frames, self.readout)]

    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""
        grid = grid_of(self.config.grid(frames, height, width), keep)
        head = grid.frames * self.readout.macs(grid.frame()) + Macs(linear=self.head.weight.numel())
        between = grid.frames * self.conditional_macs(grid.frame())
        return EndMacs(self.patch.macs(grid.num_video_tokens), between, head)
