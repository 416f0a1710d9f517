"""The configuration of a video transformer: one frozen dataclass that checks itself."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from torch import nn

from vidattn.attention.base import VideoAttention
from vidattn.attention.parts import QKV_BIASES, Parts
from vidattn.attention.query_key import NEED_MAP, QUERY_KEYS
from vidattn.attention.scheme import Scheme, parse_scheme, takes_parts
from vidattn.checks import check_positive, check_rate
from vidattn.grid import Grid
from vidattn.mistakes import Mistake
from vidattn.models.field_types import check_types
from vidattn.models.fitting_sizes import check_divisible, check_frames
from vidattn.models.keep import Kept, Tokens
from vidattn.models.layers import ACTIVATIONS, Activation, activation_named
from vidattn.models.network import Network, NetworkConfig
from vidattn.models.norms import NORMS, norm_named
from vidattn.models.pixels import PIXELS, Pixels, pixels_named
from vidattn.models.positions import CONDITIONAL_POSITIONS, POSITIONS, tables_named
from vidattn.models.readout import ReadOut
from vidattn.models.readout_table import READOUTS, readout_named

PARTS: dict[str, Iterable[str]] = {
    "pixels": PIXELS,
    "pooling": READOUTS,
    "position": POSITIONS,
    "norm": NORMS,
    "activation": ACTIVATIONS,
    "qkv_bias": QKV_BIASES,
    "query_key": QUERY_KEYS,
    "conditional_position": CONDITIONAL_POSITIONS,
}
"""Fields of a configuration that are a name, each with the table that knows it."""

IMPORTED = ("pixels", "pooling", "position", "norm", "activation")
"""Those of them that may be an import path as well."""


@dataclass(frozen=True)
class VideoTransformerConfig(NetworkConfig):
    """All numbers that make a video transformer; a clip of another length or size still works at run time.

    Where `pixels`, `pooling`, `position`, `norm` and `activation` are names, an import path such as
    `my_package.MyReadOut` stands wherever a name may; `vidattn.models.pixels`, `readout`, `positions`, `norms` and
    `layers` say what it must be.

    Args:
        attention: scheme, such as `divided` (= `time+space`), `joint` or `space`; see `vidattn.attention.scheme`.
            `space>time(4)` is ViViT's factorised encoder, with 4 temporal blocks after `depth` spatial ones.
        num_classes: width of the head.
        num_frames: frames of the clips that the tables of positions are made for.
        image_size: height and width in pixels of those clips, or one number for both.
        patch_size: side of a patch in pixels.
        embed_dim: token width D.
        depth: number of blocks.
        num_heads: heads of each attention step.
        mlp_ratio: hidden width of the MLPs over D.
        pooling: `class_token`, `registers` (class token and four registers), or, without a class token, `mean`,
            `normed_mean`, `attentive` or `attentive_probe` (V-JEPA 2's); see `vidattn.models.readout_table`.
        dropout: probability of zeroing a component, after the embedding and in each update.
        drop_path: probability of skipping an update in the last block; rises linearly from 0 in the first.
        gradient_checkpointing: recompute each block in the backward pass: less memory, a third more time.
        init_std: standard deviation of fresh linear layers in the blocks. 0.02 is ViT's, right for D = 768; narrow
            networks from scratch learn many times faster with about 2 / sqrt(D) (see configs/motion_divided.yaml).
        pixels: what the patch layer sees: `rgb`, or `motion`, brightness and how much it differs from the frames before
            and behind; see `vidattn.models.pixels`.
        tubelet_size: frames that one token is made of; 1 is a patch of a frame (`vidattn.models.embeddings`).
        position: tables of positions: `space+time` (TimeSformer), `token` (ViViT), `sine` (VideoMAE, no parameters),
            `map` (PVT, shared by frames) or `none`; see `vidattn.models.positions`.
        norm: `layer_norm`, or `dyt` in place of every LayerNorm; see `vidattn.models.norms`.
        norm_eps: added to the variance in the LayerNorms of the blocks and in the last one.
        activation: of the MLPs in the blocks: `gelu`, or `gelu_tanh`, its approximation.
        qkv_bias: which of queries, keys and values have a bias: `all`, `query_value` (VideoMAE) or `none`.
        query_key: what queries and keys go through before they meet: `plain` (nothing), `norm`, `rotary` (positions in
            three axes), `norm+rotary`, `tiled_rotary` (V-JEPA 2's) or `scaled_rotary` (V-JEPA 2.1's); see
            `vidattn.attention.query_key`. In all steps; some have no place for it.
        conditional_position: a convolution after the first block that tells tokens where they are, beside `position` or
            in its place: `peg` in each frame (CPVT), `peg3d` in time as well, or `none`.

    Raises:
        ValueError: a value does not fit; the message names it and the nearest that do.
    """

    attention: str = "divided"
    num_classes: int = 400
    num_frames: int = 8
    image_size: int | tuple[int, int] = 224
    patch_size: int = 16
    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    pooling: str = "class_token"
    dropout: float = 0.0
    drop_path: float = 0.0
    gradient_checkpointing: bool = False
    init_std: float = 0.02
    pixels: str = "rgb"
    tubelet_size: int = 1
    position: str = "space+time"
    norm: str = "layer_norm"
    norm_eps: float = 1e-6
    activation: str = "gelu"
    qkv_bias: str = "all"
    query_key: str = "plain"
    conditional_position: str = "none"

    def __post_init__(self) -> None:
        check_types(self)
        check_positive(
            num_classes=self.num_classes,
            num_frames=self.num_frames,
            patch_size=self.patch_size,
            embed_dim=self.embed_dim,
            depth=self.depth,
            num_heads=self.num_heads,
            tubelet_size=self.tubelet_size,
        )
        check_rate(dropout=self.dropout, drop_path=self.drop_path)
        if self.embed_dim % self.num_heads:
            near = self.embed_dim // self.num_heads * self.num_heads
            choices = " and ".join(str(size) for size in (near, near + self.num_heads) if size)
            raise Mistake(
                f"embed_dim={self.embed_dim} is not a multiple of num_heads={self.num_heads}; nearest widths: {choices}"
            )
        for name, usual in (("mlp_ratio", "4"), ("init_std", "0.02"), ("norm_eps", "1e-6")):
            if not 0 < getattr(self, name) < math.inf:
                raise Mistake(f"{name}={getattr(self, name)} must be above 0 and finite; ViT's is {usual}")
        if self.embed_dim * self.mlp_ratio < 1:
            raise Mistake(
                f"mlp_ratio={self.mlp_ratio} leaves an MLP no width at embed_dim={self.embed_dim}; ViT's is 4"
            )
        for name, known in PARTS.items():
            value = getattr(self, name)
            if value not in known and not (name in IMPORTED and "." in value):
                raise Mistake(f"{name}={value!r} is unknown; choose one of {', '.join(known)}")
        _ = self.seen_pixels, self.readout, self.tables, self.parts, self.activation_function  # can they be imported?
        check_divisible(self.size, self.patch_size, "image_size")
        check_frames(self.num_frames, self.tubelet_size, "num_frames")
        for part in QUERY_KEYS[self.query_key]:
            part(self.embed_dim // self.num_heads, self.parts.norm)  # is the head wide enough?
        if self.scheme.temporal_depth is None:
            self._check_steps()
        if self.conditional_position == "peg3d" and not self.scheme.frames_meet:
            raise Mistake(
                f"conditional_position='peg3d' has no meaning with attention={self.attention!r}, "
                "whose blocks see one frame at a time; use peg"
            )

    def _check_steps(self) -> None:
        for cls in self.scheme.classes:
            scores = issubclass(cls, VideoAttention) and cls.scores_tokens and takes_parts(cls)
            if self.query_key != "plain" and not scores:
                raise Mistake(
                    f"query_key={self.query_key!r} has no meaning in {cls.__name__}, a step of "
                    f"attention={self.attention!r}: it does not score tokens' queries with tokens' keys; use plain"
                )

    @cached_property
    def scheme(self) -> Scheme:
        """What `attention` says."""
        return parse_scheme(self.attention)

    @cached_property
    def readout(self) -> type[ReadOut]:
        """What `pooling` names."""
        return readout_named(self.pooling)

    @cached_property
    def seen_pixels(self) -> Pixels:
        """What `pixels` names."""
        return pixels_named(self.pixels)

    @cached_property
    def tables(self) -> tuple[type[nn.Module], type[nn.Module]]:
        """What `position` names: the tables of places and of times."""
        return tables_named(self.position)

    @cached_property
    def activation_function(self) -> Activation:
        """What `activation` names."""
        return activation_named(self.activation)

    @cached_property
    def parts(self) -> Parts:
        """What the blocks are made of."""
        return Parts(
            norm=norm_named(self.norm),
            qkv=QKV_BIASES[self.qkv_bias],
            query_key=QUERY_KEYS[self.query_key],
            std=self.init_std,
        )

    @property
    def end_parts(self) -> Parts:
        """What the read-out is made of: the same norm, and ViT's linear layers."""
        return Parts(norm=self.parts.norm)

    @property
    def shape(self) -> str:
        """Width, depth and heads."""
        return f"width {self.embed_dim}, depth {self.depth}, {self.num_heads} heads"

    @property
    def title(self) -> str:
        """The scheme."""
        return self.attention

    @property
    def has_time(self) -> bool:
        """Whether frames meet anywhere: not with `space` alone."""
        return not self.scheme.is_space_only

    @property
    def answers_blindly(self) -> bool:
        """Whether all clips get the same logits: a prefix token is read, and no step tells it of the video."""
        reads_prefix = self.readout.num_prefix > 0
        return reads_prefix and self.scheme.temporal_depth is None and not self.scheme.moves_prefix

    def build(self) -> Network:
        """The network: `space` alone has no time axis, `space>time(4)` meets time late."""
        # Here, as networks are made of their configuration and import this file.
        from vidattn.models.factorised_encoder import FactorisedEncoder
        from vidattn.models.space_only import SpaceOnlyTransformer
        from vidattn.models.video_transformer import VideoTransformer

        if self.scheme.is_space_only:
            return SpaceOnlyTransformer(self)
        return VideoTransformer(self) if self.scheme.temporal_depth is None else FactorisedEncoder(self)

    @property
    def size(self) -> tuple[int, int]:
        """`image_size` as (height, width)."""
        return self.image_size if isinstance(self.image_size, tuple) else (self.image_size, self.image_size)

    def grid(self, frames: int, height: int, width: int) -> Grid:
        """The tokens of a clip of `frames` frames of `height x width` pixels."""
        prefix = self.readout.num_prefix
        return Grid(frames // self.tubelet_size, height // self.patch_size, width // self.patch_size, prefix)

    def check_clip(self, frames: int, height: int, width: int, name: str = "input") -> None:
        """Raise a `ValueError` that names the nearest fitting numbers unless patches and tubelets divide the clip."""
        check_divisible((height, width), self.patch_size, name)
        check_frames(frames, self.tubelet_size, f"{name} frames")

    def check_keeps(self, keep: Kept) -> None:
        """Raise a `ValueError` unless the network gives kept tokens what they would have as a clip of their own."""
        if not keep.leaves_out:
            return
        what = f"attention={self.attention!r}"
        if self.scheme.needs_map:
            steps = ", ".join(
                cls.__name__ for cls in self.scheme.classes if not issubclass(cls, VideoAttention) or cls.needs_map
            )
            raise Mistake(
                f"{what} cannot leave places out: {steps} must know the row and column of every token; joint, divided, "
                "space, space+temporal, space|time, space>time(4), trajectory and linear can"
            )
        if self.conditional_position != "none":
            raise Mistake(
                f"conditional_position={self.conditional_position!r} needs the whole map, so that "
                "no places can be left out; use none"
            )
        if any(part in NEED_MAP for part in QUERY_KEYS[self.query_key]):
            raise Mistake(
                f"query_key={self.query_key!r} stretches positions over the whole map, so that no places can be left "
                "out; use rotary"
            )
        if isinstance(keep, Tokens) and not self.scheme.takes_any_tokens:
            raise Mistake(
                f"{what} asks which frame a token is from, so the same places must be kept in all frames "
                "(vidattn.models.keep.Columns); joint and linear take any tokens"
            )

    def shallow(self, depth: int) -> "VideoTransformerConfig":
        """The same with at most so many blocks."""
        return replace(self, depth=min(self.depth, depth))

    def drop_path_of(self, block: int) -> float:
        """Drop path of the block with this index: linear from 0 to `drop_path`."""
        return self.drop_path * block / max(self.depth - 1, 1)
