"""The video transformer: tokens of all frames in one stream, through blocks of attention steps, to logits."""

from torch import Tensor

from vidattn.attention.parts import linear
from vidattn.macs import Macs
from vidattn.models.body import Body, clip_grid, patch_embedding
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.keep import Kept, grid_of, kept
from vidattn.models.network import EndMacs, Features, Network, Stage
from vidattn.models.readout import ReadOut


class VideoTransformer(Body, Network):
    """TimeSformer, https://arxiv.org/abs/2102.05095, with any attention scheme in its blocks.

    With other parts also ViViT's model 1 and VideoMAE's encoder: see `vidattn.models.presets`. Works for any number of
    frames and any height and width that the patch divides: the tables of positions are interpolated. Numerically the
    official models (tests/test_parity.py).

    Args:
        config: the numbers that make the model.
    """

    config: VideoTransformerConfig
    readout: ReadOut

    def __init__(self, config: VideoTransformerConfig) -> None:
        super().__init__(config, config.scheme.steps, config.depth, config.native_grid, config.tables)
        self.patch = patch_embedding(config)
        self.head = linear(config.embed_dim, config.num_classes)

    def features(self, video: Tensor, keep: Kept | Tensor | None = None, normalized: bool = False) -> Features:
        """Normalised clips `(B, 3, T, H, W)` -> tokens `(B, S, D)` and how they lie; see `Network.features`."""
        keep = kept(keep)
        whole = clip_grid(video, self.config, keep)
        tokens = self.patch(video) if keep is None else keep.embed(self.patch, video)
        tokens, grid = self.embed(tokens, whole, keep)
        tokens = self.run(tokens, grid)
        return Features(self.norm(tokens) if normalized else tokens, grid)

    def layout(self, frames: int, height: int, width: int, keep: Kept | None = None) -> list[Stage]:
        """One stage, once for each clip."""
        return [Stage(self.blocks, grid_of(self.config.grid(frames, height, width), keep), 1, self.readout)]

    def end_macs(self, frames: int, height: int, width: int, keep: Kept | None = None) -> EndMacs:
        """Cost of everything but the blocks, of one clip."""
        grid = grid_of(self.config.grid(frames, height, width), keep)
        head = self.readout.macs(grid) + Macs(linear=self.head.weight.numel())
        return EndMacs(self.patch.macs(grid.num_video_tokens), self.conditional_macs(grid), head)
