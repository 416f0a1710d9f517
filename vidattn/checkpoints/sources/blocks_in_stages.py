"""Blocks that a file counts through, by the stages that they are in here."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from torch import Tensor

from vidattn.checkpoints.renaming import WeightsError
from vidattn.models.hierarchical_config import HierarchicalConfig
from vidattn.preprocessing import Preprocessing, SamplingRule


def stage_depths(weights: Mapping[str, Tensor], border: str) -> tuple[int, ...]:
    """Blocks of each stage; the first of each but the first stage has a weight `border`.

    >>> names = [f"blocks.{block}.norm1.weight" for block in range(5)] + ["blocks.2.proj.weight"]
    >>> stage_depths(dict.fromkeys(names), "proj.weight")
    (2, 3)

    Raises:
        WeightsError: there are no blocks.
    """
    blocks = 0
    while f"blocks.{blocks}.norm1.weight" in weights:
        blocks += 1
    if not blocks:
        raise WeightsError("it has no blocks.0.norm1.weight: no network of blocks")
    starts = [0, *(block for block in range(1, blocks) if f"blocks.{block}.{border}" in weights), blocks]
    return tuple(end - start for start, end in pairwise(starts))


def prepared_for(config: HierarchicalConfig, published: Preprocessing) -> Preprocessing:
    """What is published of a family's clips, at the length and size that a file's network has."""
    rule, size = published.sampling, config.picture
    assert rule is not None
    frames = SamplingRule(rule.class_path, {**rule.init_args, "num_frames": config.num_frames})
    found = replace(published, sampling=frames)
    return found if size == found.image_size else replace(found, image_size=size, short_side=None)


def stage_names(depths: tuple[int, ...], layers: Mapping[str, str]) -> dict[str, str]:
    """Our names of all layers in blocks -> the file's.

    Args:
        depths: blocks of each stage.
        layers: names in one block, ours -> the file's.
    """
    table: dict[str, str] = {}
    number = 0
    for stage, depth in enumerate(depths):
        for block in range(depth):
            table |= {
                f"stages.{stage}.blocks.{block}.{ours}": f"blocks.{number}.{theirs}" for ours, theirs in layers.items()
            }
            number += 1
    return table
