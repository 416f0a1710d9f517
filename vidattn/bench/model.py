"""Our networks and kernels against what a user would pick instead, in one run."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidattn.attention.heads import two_products
from vidattn.bench.timing import interleaved
from vidattn.checkpoints.renaming import renamed
from vidattn.checkpoints.sources import huggingface
from vidattn.mistakes import MissingLibraryError
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.lean import lean
from vidattn.models.presets import build_network

HF_NAMES = {"divided": "divided_space_time", "joint": "joint_space_time", "space": "space_only"}


def against_hugging_face(
    config: VideoTransformerConfig,
    batch_size: int,
    rounds: int,
    training: bool,
    bf16: bool,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[dict[str, list[float]], float]:
    """Seconds of each round of Hugging Face's TimeSformer ("hf") and of ours ("ours"), with the same random weights, on
    the GPU if there is one; and the largest difference between their answers. Ours answers in its lean form."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ours, theirs = (network.to(device).train(training) for network in networks_of(config))
    if not training:
        ours = lean(ours)
    video = torch.randn(batch_size, 3, config.num_frames, *config.size, device=device)
    runs = {name: partial(step, network, (video,), training) for name, network in (("hf", theirs), ("ours", ours))}
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        seconds = interleaved(runs, rounds, clock)
        difference = (runs["ours"]() - runs["hf"]()).abs().max().item()
    return seconds, difference


def products_against_fused(
    length: int, rows: int, num_heads: int, head_dim: int, dtype: torch.dtype, training: bool, rounds: int
) -> dict[str, list[float]]:
    """Seconds of each round of attention in two batched products and a softmax ("two"), and in one kernel ("fused").

    Args:
        length: tokens of a row.
        rows: rows at once.
        num_heads: heads.
        head_dim: width of a head.
        dtype: of queries, keys and values.
        training: forward and backward instead of inference.
        rounds: interleaved runs of each.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.randn(rows, length, 3, num_heads, head_dim, device=device, dtype=dtype)
    qkv = x.permute(2, 0, 3, 1, 4).requires_grad_(training).unbind()
    kernels: dict[str, Callable[..., Tensor]] = {"two": two_products, "fused": F.scaled_dot_product_attention}
    return interleaved({name: partial(step, kernel, qkv, training) for name, kernel in kernels.items()}, rounds)


def step(function: Callable[..., Tensor], inputs: tuple[Tensor, ...], training: bool) -> Tensor:
    """One forward of `function`, and with `training` a backward too."""
    with torch.set_grad_enabled(training):
        out = function(*inputs)
    if training:
        out.square().mean().backward()
    return out.detach()


def networks_of(config: VideoTransformerConfig) -> tuple[nn.Module, nn.Module]:
    """Our network and HF's of the same configuration, with the same random weights; both take `(B, 3, T, H, W)`.

    Raises:
        ImportError: transformers is not installed.
    """
    try:
        from transformers import TimesformerConfig, TimesformerForVideoClassification
    except ImportError as error:
        raise MissingLibraryError("the comparison needs Hugging Face's model: pip install transformers") from error

    theirs = TimesformerForVideoClassification(
        TimesformerConfig(
            image_size=config.size[0],
            patch_size=config.patch_size,
            num_frames=config.num_frames,
            hidden_size=config.embed_dim,
            num_hidden_layers=config.depth,
            num_attention_heads=config.num_heads,
            intermediate_size=int(config.embed_dim * config.mlp_ratio),
            attention_type=HF_NAMES[config.attention],
            num_labels=config.num_classes,
        )
    )
    ours = build_network(config)
    ours.load_state_dict(renamed(theirs.state_dict(), huggingface.SCHEMES[config.attention], ours))
    return ours, HuggingFace(theirs, config.attention == "space")


class HuggingFace(nn.Module):
    """HF's TimeSformer behind our interface: takes `(B, 3, T, H, W)`, gives logits `(B, K)`.

    Args:
        model: `TimesformerForVideoClassification`.
        average: take the mean over frames before the last norm, which HF's space-only model lacks.
    """

    def __init__(self, model: nn.Module, average: bool) -> None:
        super().__init__()
        self.model = model
        self.average = average

    def forward(self, video: Tensor) -> Tensor:
        """`(B, 3, T, H, W)` -> `(B, K)`."""
        clips = video.transpose(1, 2)
        if not self.average:
            return self.model(clips).logits
        body: Any = self.model.timesformer
        tokens = body.encoder(body.embeddings(clips))[0][:, 0]
        features = body.layernorm(tokens.unflatten(0, (video.shape[0], -1)).mean(1))
        return self.model.classifier(features)  # type: ignore[operator]
