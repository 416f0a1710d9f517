"""What a change of configuration means for weights: whether the network still computes the same, in words."""

from dataclasses import asdict

from torch import nn

from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.transfer.account import late_depth
from vidattn.checkpoints.transfer.steps import WeightSource, differ_by_output_layer, kind
from vidattn.models.config import VideoTransformerConfig

FIXED = ("embed_dim", "depth", "num_heads", "mlp_ratio", "patch_size")
"""Fields that no other value can be made of."""

ELSEWHERE = (
    *FIXED,
    *("attention", "num_classes", "num_frames", "image_size", "tubelet_size", "position", "conditional_position"),
    *("dropout", "drop_path", "gradient_checkpointing", "init_std"),
)
"""Fields whose change is reported elsewhere, or does not change what the network computes."""


def check_sizes(saved: Saved, config: VideoTransformerConfig) -> None:
    """Raise a `WeightsError` unless the two networks are of one size."""
    different = [
        f"{name}={getattr(saved.config, name)} in the file, {getattr(config, name)} here"
        for name in FIXED
        if getattr(saved.config, name) != getattr(config, name) and not (name == "num_heads" and saved.heads_assumed)
    ]
    if different:
        flags = " ".join(f"--model.network.{name} {getattr(saved.config, name)}" for name in FIXED)
        raise WeightsError(f"the sizes differ: {'; '.join(different)}. To start from this file: {flags}")


def check_positions(saved: VideoTransformerConfig, config: VideoTransformerConfig) -> None:
    """Raise a `WeightsError` where one network is V-JEPA 2 and the other V-JEPA 2.1: alike in all shapes, and trained
    with positions that the other cannot read."""
    kinds = (saved.query_key, config.query_key)
    if set(kinds) == {"tiled_rotary", "scaled_rotary"}:
        names = {"tiled_rotary": "V-JEPA 2", "scaled_rotary": "V-JEPA 2.1"}
        raise WeightsError(
            f"query_key={kinds[0]!r} in the file ({names[kinds[0]]}), {kinds[1]!r} here ({names[kinds[1]]}): they "
            f"read positions differently; take query_key={kinds[0]!r}, or a file of {names[kinds[1]]}"
        )


def changed(old: VideoTransformerConfig, new: VideoTransformerConfig) -> list[str]:
    """Parts of the network that differ, so that it computes something else. Biases of keys make no difference."""
    before, after = asdict(old), asdict(new)
    return [
        name
        for name in after
        if name not in ELSEWHERE
        and before[name] != after[name]
        and not (name == "qkv_bias" and "none" not in (before[name], after[name]))
    ]


def step_lines(
    old: VideoTransformerConfig,
    new: VideoTransformerConfig,
    trained: list[nn.Module],
    wanted: list[nn.Module],
    matches: list[WeightSource],
) -> list[str]:
    """Where the weights of each step of a block come from, a line each, and whether the function is still the same.

    Args:
        old: the checkpoint's configuration.
        new: the network's.
        trained: steps of one of the checkpoint's blocks.
        wanted: steps of the network's block.
        matches: where the weights of each of these come from.
    """
    if old.scheme == new.scheme:
        return []
    return [*match_lines(trained, wanted, matches, new.attention), first_outputs(old, new, matches)]


def match_lines(
    trained: list[nn.Module], wanted: list[nn.Module], matches: list[WeightSource], attention: str
) -> list[str]:
    """Where the weights of each step of a block come from, and which steps have no place any more, a line each.

    Args:
        trained: steps of one of the checkpoint's blocks.
        wanted: steps of the network's block.
        matches: where the weights of each of these come from.
        attention: the network's scheme.
    """
    lines = []
    for place, (step, found) in enumerate(zip(wanted, matches, strict=True)):
        source = None if found.source is None else trained[found.source]
        if source is None:
            how = "starts fresh" + (", its output zero" if found.silent else "")
        elif found.silent:
            how = f"a copy of {kind(source).__name__}, its output zero"
        else:
            how = f"from {kind(source).__name__}"
            if differ_by_output_layer(source, step):
                how += ", the same function with one linear layer more or less"
        lines.append(f"steps.{place} ({kind(step).__name__}): {how}")
    taken = {found.source for found in matches}
    lines += [
        f"{kind(step).__name__}: not taken over, attention={attention} has no place for it"
        for place, step in enumerate(trained)
        if place not in taken
    ]
    return lines


def first_outputs(old: VideoTransformerConfig, new: VideoTransformerConfig, matches: list[WeightSource]) -> str:
    """Whether a network with another scheme computes at first what the old one did."""
    change = f"attention: {old.attention} -> {new.attention}, "
    image = old.scheme.is_space_only  # knows nothing of time
    counted = image and old.position == "sine"  # tokens of a frame there, of the clip here
    same_parts = not changed(old, new) and old.position == new.position and not late_depth(old) and not late_depth(new)
    same_tubelets = old.tubelet_size == new.tubelet_size
    same_places = old.conditional_position in ("none", new.conditional_position)
    if same_parts and same_places and (image or same_tubelets) and not counted and _same_steps(old, new, matches):
        spaces = image or new.scheme.is_space_only
        if not same_tubelets:
            return f"{change}computes at first what it did on clips that stand still"
        if old.pooling != "mean" and spaces:
            still = " on clips that stand still (in others each frame had a class token of its own)"
            return f"{change}computes at first what it did{still}"
        return f"{change}computes at first what it did"
    return f"{change}computes something else at first: train it further"


def _same_steps(old: VideoTransformerConfig, new: VideoTransformerConfig, matches: list[WeightSource]) -> bool:
    """Whether the steps with an output other than zero are the old ones, in their order."""
    trained = [step.without_output_layer() for step in old.scheme.steps]
    heard = [
        (step.without_output_layer(), found.source)
        for step, found in zip(new.scheme.steps, matches, strict=True)
        if not found.silent
    ]
    return heard == list(zip(trained, range(len(trained)), strict=True))
