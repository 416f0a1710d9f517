"""`vidattn bench-model` and `bench-attention`: speed against what a user would pick instead, in one run."""

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from vidattn.attention.heads import two_products
from vidattn.bench.timing import interleaved, ratio
from vidattn.checkpoints.names import renamed
from vidattn.checkpoints.sources import huggingface
from vidattn.checks import check_positive
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network, preset

HF_NAMES = {"divided": "divided_space_time", "joint": "joint_space_time", "space": "space_only"}


def bench_model(
    attention: list[Literal["divided", "joint", "space"]] = ["joint", "divided", "space"],  # noqa: B006
    size: Literal["Ti", "S", "B", "L"] = "B",
    num_frames: int = 8,
    image_size: int = 224,
    batch_size: int = 1,
    rounds: int = 7,
    training: bool = False,
    precision: Literal["fp32", "bf16"] = "fp32",
    threads: int | None = None,
) -> None:
    """Time our network against Hugging Face's TimeSformer with the same random weights, on this CPU or GPU.

    Args:
        attention: schemes to time, those that the official code released.
        size: width and depth.
        num_frames: frames T of a clip.
        image_size: height and width in pixels.
        batch_size: clips at once.
        rounds: interleaved runs of each; the table gives medians.
        training: time forward and backward instead of inference.
        precision: bf16 runs both under autocast, as Lightning's bf16-mixed does.
        threads: CPU threads; all by default.

    Raises:
        ValueError: a number is below 1, or the patch does not divide the size.
    """
    check_positive(batch_size=batch_size, rounds=rounds)
    configs = [preset(size, attention=scheme, num_frames=num_frames, image_size=image_size) for scheme in attention]
    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    what = "training step (forward + backward)" if training else "inference"
    table = Table("attention", "HF ms", "ours ms", "times as fast", "largest difference", title_justify="left")
    table.title = f"ViT-{size}/16 {num_frames}x{image_size}, batch {batch_size}, {precision}, {what} on {device}"
    for scheme, config in zip(attention, configs, strict=True):
        ours, theirs = (network.to(device).train(training) for network in pair(config))
        video = torch.randn(batch_size, 3, num_frames, image_size, image_size, device=device)
        runs = {name: partial(step, network, (video,), training) for name, network in (("hf", theirs), ("ours", ours))}
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            seconds = interleaved(runs, rounds)
            difference = (runs["ours"]() - runs["hf"]()).abs().max().item()
        cells = [f"{1e3 * statistics.median(seconds[name]):.1f}" for name in ("hf", "ours")]
        table.add_row(scheme, *cells, f"{ratio(seconds['hf'], seconds['ours']):.2f}", f"{difference:.1e}")
    Console().print(table)


def bench_attention(
    lengths: list[int] = [8, 32, 50, 197, 785, 1569],  # noqa: B006
    rows: int = 0,
    num_heads: int = 12,
    head_dim: int = 64,
    rounds: int = 9,
    threads: int | None = None,
) -> None:
    """Time fused attention against two batched products and a softmax: what `attend` decides by.

    Args:
        lengths: tokens n of a row.
        rows: rows at once; 0 takes as many as make about 1600 tokens, as in a clip of 8x224, or on a GPU in 16 clips.
        num_heads: heads.
        head_dim: width of a head.
        rounds: interleaved runs of each; the table gives medians.
        threads: CPU threads; all by default.

    Raises:
        ValueError: a number is below 1.
    """
    check_positive(lengths=min(lengths, default=0), num_heads=num_heads, head_dim=head_dim, rounds=rounds)
    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokens = 16 * 1600 if device == "cuda" else 1600
    table = Table("n", "rows", "type", "gradients", "two products ms", "fused ms", "fused is", title_justify="left")
    table.title = f"attention kernels on {device}"
    for n in lengths:
        count = rows or max(1, tokens // n)
        for dtype in (torch.float32, torch.bfloat16):
            for training in (False, True):
                x = torch.randn(count, n, 3, num_heads, head_dim, device=device, dtype=dtype)
                qkv = x.permute(2, 0, 3, 1, 4).requires_grad_(training).unbind()
                kernels: dict[str, Callable[..., Tensor]] = {
                    "two": two_products,
                    "fused": F.scaled_dot_product_attention,
                }
                runs = {name: partial(step, kernel, qkv, training) for name, kernel in kernels.items()}
                seconds = interleaved(runs, rounds)
                cells = [f"{1e3 * statistics.median(seconds[name]):.2f}" for name in ("two", "fused")]
                gain = f"{ratio(seconds['two'], seconds['fused']):.2f}x"
                table.add_row(str(n), str(count), str(dtype)[6:], "yes" if training else "no", *cells, gain)
    Console().print(table)


def step(function: Callable[..., Tensor], inputs: tuple[Tensor, ...], training: bool) -> Tensor:
    """One forward of `function`, and with `training` a backward too."""
    with torch.set_grad_enabled(training):
        out = function(*inputs)
    if training:
        out.square().mean().backward()
    return out.detach()


def pair(config: VideoTransformerConfig) -> tuple[nn.Module, nn.Module]:
    """Our network and HF's of the same configuration, with the same random weights; both take `(B, 3, T, H, W)`.

    Raises:
        ImportError: transformers is not installed.
    """
    try:
        from transformers import TimesformerConfig, TimesformerForVideoClassification
    except ImportError as error:
        raise ImportError("the comparison needs Hugging Face's model: pip install transformers") from error

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
            num_labels=config.num_classes,  # type: ignore[call-arg]
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
