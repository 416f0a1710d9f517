"""The factorised encoder: an image transformer on each frame, then a second transformer on the frames."""

from dataclasses import replace

from torch import Tensor, nn

from vidattn.attention.parts import linear
from vidattn.attention.scheme import parse_scheme
from vidattn.grid import Grid
from vidattn.macs import Macs
from vidattn.mistakes import Mistake
from vidattn.models.body import Body, frames_alone, frames_of, patch_embedding
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.frame_by_frame import FrameByFrame
from vidattn.models.keep import Kept, grid_of, kept
from vidattn.models.network import EndMacs, Features, Network, Stage
from vidattn.models.positions import NoTable
from vidattn.models.readout import ReadOut, read_out


class FactorisedEncoder(Network, FrameByFrame):
    """ViViT's model 2, https://arxiv.org/abs/2103.15691, section 3.3: `space>time(4)`; time meets space late.

    `config.depth` spatial blocks make a vector of each frame, the temporal blocks make a vector of those. Both stages
    have their own prefix, position table and last norm, and the same read-out. To the temporal stage a clip is a map of
    one row: its table has the place of `position`'s first, and is resized bicubically to other lengths. A conditional
    position encoding follows the first spatial block.

    Args:
        config: the numbers that make the model; `config.attention` is `"space>time(n)"` with n temporal blocks.

    Raises:
        ValueError: `config.attention` is another scheme.
    """

    def __init__(self, config: VideoTransformerConfig) -> None:
        super().__init__()
        temporal = config.scheme.temporal_depth
        if temporal is None:
            raise Mistake(f"attention={config.attention!r} is no factorised encoder; wanted space>time(4) or the like")
        self.config: VideoTransformerConfig = config
        grid = config.native_grid
        self.patch = patch_embedding(config)
        self.spatial = Encoder(config, grid.frame())
        late = replace(config, depth=temporal, conditional_position="none")
        self.temporal = Encoder(late, Grid(1, 1, grid.frames, grid.prefix))
        self.head = linear(config.embed_dim, config.num_classes)

    @property
    def readout(self) -> ReadOut:  # type: ignore[override]
        """What makes a vector of the frames."""
        return self.temporal.readout

    @property
    def norm(self) -> nn.Module:  # type: ignore[override]
        """The last norm."""
        return self.temporal.norm

    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """Normalised clips `(B, 3, T, H, W)` -> a token for each frame, behind the prefix, `(B, P + T, D)`."""
        found = self._over_time(self.of_frames(video, keep))
        return Features(self.norm(found.tokens), found.grid) if normalized else found

    @property
    def each_alone(self) -> bool:
        """Whether a frame stands for itself: see `frames_alone`."""
        return frames_alone(self.config)

    def of_frames(self, video: Tensor, keep: Kept | Tensor | None = None) -> Tensor:
        """Normalised clips `(B, 3, T, H, W)` -> the spatial stage's vector of each frame of tokens, `(B, T, D)`."""
        rows, whole, row_keep = frames_of(video, self.config, self.patch, kept(keep))
        tokens = self.spatial(rows, whole.frame(), row_keep)
        return read_out(self.spatial.readout, self.spatial.norm, tokens).unflatten(0, (-1, whole.frames))

    def over_frames(self, frames: Tensor) -> Tensor:
        """`(B, T, D)` -> logits `(B, K)`."""
        return self.head(self.read(self._over_time(frames)))

    def _over_time(self, frames: Tensor) -> Features:
        length, prefix = frames.shape[1], self.config.native_grid.prefix
        tokens = self.temporal(frames[:, None, None], Grid(1, 1, length, prefix))
        return Features(tokens, Grid(length, 1, 1, prefix))

    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """The spatial stage, once for each frame of tokens, and the temporal one."""
        grid = grid_of(self.config.grid(frames, height, width), keep)
        return [
            Stage(self.spatial.blocks, grid.frame(), grid.frames, self.spatial.readout),
            Stage(self.temporal.blocks, Grid(1, 1, grid.frames, grid.prefix), 1, self.temporal.readout),
        ]

    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""
        spatial, temporal = self.layout(frames, height, width, keep)
        head = spatial.runs * self.spatial.readout.macs(spatial.grid) + self.temporal.readout.macs(temporal.grid)
        return EndMacs(
            self.patch.macs(spatial.runs * spatial.grid.num_video_tokens),
            spatial.runs * self.spatial.conditional_macs(spatial.grid),
            head + Macs(linear=self.head.weight.numel()),
        )


class Encoder(Body):
    """One of the two stages: a ViT between its patches and its head, all of whose tokens attend to all.

    Args:
        config: width, depth, read-out and the rest; its attention is not looked at.
        grid: the tokens that the position table has.
    """

    def __init__(self, config: VideoTransformerConfig, grid: Grid) -> None:
        super().__init__(config, parse_scheme("joint").steps, config.depth, grid, (config.tables[0], NoTable))

    def forward(self, tokens: Tensor, whole: Grid, keep: Kept | None = None) -> Tensor:
        """`(G, 1, h, w, D)`, maps on the grid `whole` or what is kept of them -> `(G, S, D)`."""
        x, grid = self.embed(tokens, whole, keep)
        return self.run(x, grid)
