"""The content of a checkpoint in our terms, whoever wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import Any

import torch
from torch import Tensor

from vidattn.attention.imported import imported
from vidattn.calibration.calibration import Calibration
from vidattn.checkpoints.renaming import WeightsError, fitting
from vidattn.models.network import NetworkConfig
from vidattn.preprocessing import Preprocessing
from vidattn.public import public_path
from vidattn.quantization.recipe import Quantization, rebuilt

FORMAT = 1


@dataclass(frozen=True)
class Saved:
    """A network's configuration and weights, and what is needed to use it.

    Args:
        config: the network that the weights are of.
        state: the weights by our names. What the file lacks and a network can start without (a head) is not there.
        class_names: empty where the file names none.
        preprocessing: what the file says of how a video becomes the network's input.
        notes: what was left out, or assumed because the file does not say it; a line each.
        is_image: the weights are an image model's, so that time is not in them.
        heads_assumed: the file does not say how many heads there are.
        beside: weights that the file holds beside the network's, by the names of the task that trained them: the
            decoder of pre-training, say.
        licence: under which its makers share the weights, and who they are; empty where that is not known.
        detector: what the decoder of a detector of actions is made of, as plain values; empty where it is none.
        calibration: what was measured of the network's answers.
        quantization: what was done to make the network small, in which case `state` is of what that made; or None.
    """

    config: NetworkConfig
    state: dict[str, Tensor]
    class_names: list[str] = field(default_factory=list)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    notes: list[str] = field(default_factory=list)
    is_image: bool = False
    heads_assumed: bool = False
    beside: dict[str, Tensor] = field(default_factory=dict)
    licence: str = ""
    detector: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration = Calibration()
    quantization: Quantization | None = None


def description(
    config: NetworkConfig,
    class_names: list[str],
    preprocessing: Preprocessing,
    notes: Sequence[str] = (),
    licence: str = "",
    calibration: Calibration = Calibration(),
    quantization: Quantization | None = None,
) -> dict[str, Any]:
    """All but the weights as plain values: what stands under `vidattn` in our checkpoints and in `config.json`.

    Training writes no notes: what was fresh or assumed when it began has been learnt since.
    """
    return {
        "format": FORMAT,
        "kind": public_path(type(config)),
        "network": config.to_dict(),
        "class_names": class_names,
        "preprocessing": preprocessing.to_dict(),
        "notes": list(notes),
        **({"licence": licence} if licence else {}),
        **({"calibration": stored} if (stored := calibration.to_dict()) else {}),
        **({"quantization": quantization.to_dict()} if quantization is not None else {}),
    }


def saved_of(ours: dict[str, Any], state: dict[str, Tensor], beside: dict[str, Tensor] | None = None) -> Saved:
    """The configuration, names and preprocessing of a `description`, with the weights.

    What stands under `unlearnt` are the beginnings of names whose weights nobody has trained: they are left out.

    Raises:
        WeightsError: a newer vidattn wrote this, it is damaged, or the weights are not the network's.
    """
    if not isinstance(ours, dict) or not isinstance(ours.get("format", 0), int):
        raise WeightsError(f"its description of the network cannot be read: vidattn={str(ours)[:40]}; wanted an object")
    if ours.get("format", 0) > FORMAT:
        raise WeightsError(
            f"format {ours['format']} is newer than this vidattn, which reads format {FORMAT}; update it"
        )
    try:
        network: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in ours["network"].items()
        }
        config = kind_of(ours)(**network)
        stored = dict(ours["preprocessing"])
        notes = [str(note) for note in ours.get("notes", [])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"its description of the network cannot be read ({type(error).__name__}: {error})") from None
    names, faults = _class_names(ours.get("class_names"))
    try:
        preprocessing = Preprocessing.from_dict(stored)
        _ = preprocessing.pixels
    except ValueError as error:
        raise WeightsError(f"its preprocessing has {error}") from None
    try:
        calibration = Calibration.from_dict(ours.get("calibration", {}))
    except ValueError as error:
        raise WeightsError(f"its {error}") from None
    quantization = _quantization(ours)
    with torch.device("meta"):
        built = config.build() if quantization is None else rebuilt(config.build(), quantization)
    unlearnt = tuple(str(part) for part in ours.get("unlearnt", ()))
    learnt = {name: value for name, value in state.items() if not (unlearnt and name.startswith(unlearnt))}
    absent = {name.rpartition(".")[0] for name in state.keys() - learnt.keys()}
    found = fitting(learnt, built, absent)
    return Saved(
        config,
        found,
        names,
        preprocessing,
        [*notes, *faults],
        beside=beside or {},
        licence=str(ours.get("licence", "")),
        detector=dict(ours.get("detector") or {}),
        calibration=calibration,
        quantization=quantization,
    )


def _quantization(ours: dict[str, Any]) -> Quantization | None:
    if "quantization" not in ours:
        return None
    try:
        return Quantization.from_dict(ours["quantization"])
    except ValueError as error:
        raise WeightsError(f"its {error}") from None


def kind_of(ours: dict[str, Any]) -> type[NetworkConfig]:
    """The class of the configuration in a description; older descriptions name none and mean a video transformer.

    Raises:
        WeightsError: it cannot be imported, or is no `NetworkConfig`.
    """
    path = ours.get("kind", "vidattn.VideoTransformerConfig")
    try:
        kind = imported(str(path), "its kind of network")
    except ValueError as error:
        raise WeightsError(str(error)) from None
    if not (isinstance(kind, type) and issubclass(kind, NetworkConfig) and is_dataclass(kind)):
        raise WeightsError(f"its kind of network is {path!r}, which is no NetworkConfig (vidattn.models.network)")
    return kind


def _class_names(stored: Any) -> tuple[list[str], list[str]]:
    """The names, and a line where they cannot be names (weights are loaded all the same)."""
    if isinstance(stored, list) and all(isinstance(name, str) for name in stored):
        return stored, []
    return [], [
        f"class names: not taken over; its description has class_names={str(stored)[:40]}, wanted a list of text"
    ]
