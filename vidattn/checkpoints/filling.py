"""A network filled from a checkpoint, and all that is known of it then: what `Pretrained` is made of."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.renaming import WeightsError
from vidattn.checkpoints.saved import Saved
from vidattn.checkpoints.transfer.transfer import Inflation, transferred
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import NetworkConfig
from vidattn.preprocessing import Preprocessing, SamplingRule
from vidattn.quantization.recipe import Quantization, rebuilt
from vidattn.wording import did_you_mean

Resize = Literal["smooth", "official"]

WITHOUT_EFFECT = ("dropout", "drop_path", "gradient_checkpointing", "init_std")
"""Fields of configurations that do not change what a trained network computes."""


class Filled(NamedTuple):
    """What was loaded; see `Pretrained` for the first five.

    Args:
        head: the head's weights as they were loaded: while they stay the same, nobody has trained it.
        beside: what the source holds beside the network: the decoder of a pre-training.
        licence: of the source's weights; empty where that is not known.
        calibration: what was measured of the network's answers; nothing where it is not the network that was measured.
        quantization: what was done to make the network small; None where it is in floating point.
    """

    network: nn.Module
    class_names: list[str]
    preprocessing: Preprocessing
    report: list[str]
    source: str
    head: Tensor
    beside: dict[str, Tensor]
    licence: str
    calibration: Calibration
    quantization: Quantization | None = None


def built_and_filled(
    source: str | Path, resize: Resize, inflation: Inflation, revision: str | None, changes: dict[str, Any]
) -> Filled:
    """The network that `source` holds, with the changes; arguments and errors are `load`'s."""
    _check_options(resize, inflation)
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    saved = read_checkpoint(source, revision, _sides(changes.get("image_size")))
    _check_fields(type(saved.config), changes)
    if saved.is_image and isinstance(saved.config, VideoTransformerConfig):
        changes = {"attention": VideoTransformerConfig.attention} | changes
    config: NetworkConfig = replace(saved.config, **changes)  # type: ignore[type-var]
    return _filled(config.build(), config, saved, source, resize, inflation)


def filled(
    network: nn.Module, config: NetworkConfig, source: str | Path, resize: Resize, inflation: Inflation
) -> Filled:
    """`network`, filled from `source`; arguments and errors are `load_weights`'s."""
    _check_options(resize, inflation)
    return _filled(network, config, read_checkpoint(source, asked=config.size), source, resize, inflation)


def preprocessing_for(config: NetworkConfig, saved: Saved) -> Preprocessing:
    """The checkpoint's preprocessing, at the frames and the picture that `config` has."""
    found = saved.preprocessing
    if config.size != saved.config.size:
        found = replace(found, image_size=config.picture, short_side=None)
    if config.num_frames != saved.config.num_frames and found.sampling is not None:
        arguments = {**found.sampling.init_args, "num_frames": config.num_frames}
        found = replace(found, sampling=SamplingRule(found.sampling.class_path, arguments))
    return found


def _check_fields(kind: type[NetworkConfig], changes: dict[str, Any]) -> None:
    """Raise unless each of the changes is a field of the configuration."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in changes:
        if name not in known:
            meant = did_you_mean(name, known, f"; there are {', '.join(known)}")
            raise Mistake(f"{name}={changes[name]!r}: a network has no such field{meant}")


def _sides(size: Any) -> tuple[int, int] | None:
    """Height and width of an image size; None where there is none, or none that a configuration will take."""
    pair = size if isinstance(size, tuple) else (size, size)
    return pair if len(pair) == 2 and all(isinstance(side, int) and side > 0 for side in pair) else None


def _check_options(resize: str, inflation: str) -> None:
    for name, given, known in (("resize", resize, get_args(Resize)), ("inflation", inflation, get_args(Inflation))):
        if given not in known:
            raise Mistake(f"{name}={given!r} is unknown; choose one of {', '.join(known)}")


def _filled(
    network: nn.Module,
    config: NetworkConfig,
    saved: Saved,
    source: str | Path,
    resize: Resize,
    inflation: Inflation,
) -> Filled:
    if saved.quantization is not None:
        return _small(network, config, saved, saved.quantization, source)
    try:
        state, report = transferred(saved, network, config, resize == "official", inflation)
    except WeightsError as error:
        raise WeightsError(f"{source} holds a {saved.config.title} network: {error}") from None
    same_head = "head.weight" in saved.state and config.num_classes == saved.config.num_classes
    names = saved.class_names if same_head else []
    preprocessing = preprocessing_for(config, saved)
    network.load_state_dict(state)
    head = state["head.weight"].clone()
    calibration, notes = saved.calibration, [*saved.notes, *report]
    if calibration != Calibration() and not (same_head and config == saved.config):
        calibration = Calibration()
        notes.append("calibration: left out, as it was measured on another network; vidattn calibrate measures it anew")
    return Filled(network, names, preprocessing, notes, str(source), head, saved.beside, saved.licence, calibration)


def _small(
    network: nn.Module, config: NetworkConfig, saved: Saved, quantization: Quantization, source: str | Path
) -> Filled:
    """A quantised network as it was written.

    Raises:
        WeightsError: another network is wanted.
    """
    other = [
        f"{name}={value!r} in the file, {getattr(config, name, None)!r} here"
        for name, value in saved.config.to_dict().items()
        if name not in WITHOUT_EFFECT and getattr(config, name, None) != getattr(saved.config, name)
    ]
    if type(config) is not type(saved.config) or other:
        raise WeightsError(
            f"{source}: a network quantised to {quantization.kind}: its weights fit no other network "
            f"({'; '.join(other) or type(config).__name__}); change what it was made of, and quantise that"
        )
    rebuilt(network, quantization).load_state_dict(saved.state)
    head = saved.state["head.weight"].clone()
    names, preprocessing = saved.class_names, saved.preprocessing
    about = saved.licence, saved.calibration, quantization
    return Filled(network, names, preprocessing, list(saved.notes), str(source), head, saved.beside, *about)
