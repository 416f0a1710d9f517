"""Features of several depths of a frozen network, side by side: probes of V-JEPA 2 on Diving48 read four levels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vidattn.mistakes import Mistake
from vidattn.models.network import Features, Network
from vidattn.models.video_transformer import VideoTransformer


def check_levels(network: Network, levels: Sequence[int]) -> None:
    """
    Raises:
        ValueError: a level is no block of the network or there twice, or its blocks differ in the tokens that they
            give.
    """
    if not isinstance(network, VideoTransformer):
        raise Mistake(
            f"levels={list(levels)}: the blocks of {type(network).__name__} differ in their tokens, which cannot be "
            "joined; leave levels out, or take a network of one width whose blocks see the whole clip"
        )
    depth = len(network.blocks)
    if not levels or len(set(levels)) != len(levels) or not all(1 <= level <= depth for level in levels):
        quarters = " ".join(str(max(1, depth * part // 4)) for part in range(1, 5))
        raise Mistake(
            f"levels={list(levels)}; wanted blocks of the network, counted from 1 to {depth}, each once, such as "
            f"{quarters}"
        )


def level_features(network: Network, clips: Tensor, levels: Sequence[int]) -> list[Features]:
    """What comes out of these blocks, counted from 1, in that order; not normed.

    Args:
        network: see `check_levels`.
        clips: normalised, `(V, 3, T, S, S)`.
        levels: the blocks.
    """
    found: dict[int, Features] = {}
    hooks = [
        block.register_forward_hook(
            lambda _, args, tokens, level=level: found.update({level: Features(tokens, args[1])})
        )
        for level, block in enumerate(network.all_blocks(), start=1)
        if level in levels
    ]
    try:
        network.features(clips)
    finally:
        for hook in hooks:
            hook.remove()
    return [found[level] for level in levels]


def level_tokens(network: Network, clips: Tensor, levels: Sequence[int]) -> Tensor:
    """The tokens of all levels one behind another, each level through the network's last norm, `(V, L S, D)`.

    As V-JEPA 2's encoder gives its levels to a probe, https://arxiv.org/abs/2506.09985, in its code. (V-JEPA 2.1 has a
    norm for each of four levels; loading leaves all but the last out, so that its levels go through that one too.)
    """
    return torch.cat([network.norm(one.tokens) for one in level_features(network, clips, levels)], dim=1)


def level_vectors(network: Network, clips: Tensor, levels: Sequence[int]) -> Tensor:
    """What a head would take of each level, side by side, float32 `(V, L D)`."""
    return torch.cat([network.read(one).float() for one in level_features(network, clips, levels)], dim=-1)
