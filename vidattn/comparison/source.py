"""What `vidattn flops` is asked about: a preset, a scheme, a run's YAML or folder, or a checkpoint."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from vidattn.attention.imported import imported
from vidattn.checkpoints.read import read_checkpoint
from vidattn.checkpoints.renaming import WeightsError
from vidattn.data.flat_keys import nested
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.network import NetworkConfig
from vidattn.models.presets import FIXED, PRESETS, Schemed
from vidattn.old_names import renewed
from vidattn.wording import did_you_mean

FILES = (".yaml", ".yml", ".ckpt", ".pth", ".pyth", ".pt", ".safetensors")


class Source(NamedTuple):
    """A network and its test protocol."""

    name: str
    config: NetworkConfig
    clips: int = 1  # TimeSformer's protocol, and the default of VideoDataModule
    crops: int = 3


def find_source(text: str, frames: int | None = None, size: tuple[int, int] | None = None) -> Source:
    """What `text` names. A preset, or a scheme at ViT-B/16 8x224, is made for the given length and size; a file says
    itself what its network is made for.

    Args:
        text: a preset's name, a scheme's spec or a path.
        frames: of the clips.
        size: height and width in pixels.

    Raises:
        ValueError: `text` is none of these, or what it names cannot be read; the message says why.
    """
    path = Path(text)
    if path.suffix in FILES or (len(path.parts) > 1 and text not in PRESETS):
        return _of_file(path)
    changes: dict[str, Any] = {"num_frames": frames, "image_size": size}
    changes = {name: value for name, value in changes.items() if value is not None}
    if text in PRESETS:
        return Source(text, replace(PRESETS[text], **changes))
    if text in FIXED:
        return Source(text, replace(FIXED[text], **changes))
    try:
        VideoTransformerConfig(attention=text)
    except ValueError as error:
        if path.exists():
            return _of_file(path)
        known = [*PRESETS, *FIXED]
        presets = f"{', '.join(known)}{did_you_mean(text, known)}"
        raise Mistake(f"{text!r} is no file, no preset ({presets}) and no scheme: {error}") from error
    return Source(f"{text} at ViT-B/16", VideoTransformerConfig(attention=text, **changes))


def _of_file(path: Path) -> Source:
    if not path.exists():
        raise Mistake(f"{path}: no such file")
    if path.is_dir() and (path / "config.yaml").exists():
        path = path / "config.yaml"
    if path.suffix in (".yaml", ".yml"):
        return _of_yaml(path)
    try:
        return Source(str(path), read_checkpoint(path).config)
    except WeightsError as error:
        raise Mistake(str(error)) from error


def _of_yaml(path: Path) -> Source:
    config, run = read_run(path)
    views = (run.get("data") or {}).get("views") or {}
    return Source(str(path), config, views.get("num_test_clips", 1), views.get("num_test_crops", 3))


def task_arguments(model: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the task that a configuration trains, which it may name by its class.

    >>> task_arguments({"class_path": "vidattn.VideoClassifier", "init_args": {"compile": True}})
    {'compile': True}
    """
    return (model.get("init_args") or {}) if "class_path" in model else model


def read_run(path: Path) -> tuple[NetworkConfig, dict[str, Any]]:
    """The network of a configuration of `vidattn fit`, and the whole configuration as it is written.

    Raises:
        ValueError: it is no YAML, has no network, or the network's values are wrong; the message names the file.
        OSError: the file cannot be read.
    """
    try:
        run = nested(yaml.safe_load(renewed(path.read_text())))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Mistake(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    model = run.get("model") if isinstance(run, dict) else None
    network = task_arguments(model).get("network") if isinstance(model, dict) else None
    if not isinstance(network, dict):
        raise Mistake(f"{path}: has no model.network; give a configuration of vidattn fit")
    kind: type[NetworkConfig] = VideoTransformerConfig
    if "class_path" in network:
        kind, network = imported(network["class_path"], f"{path}: model.network"), network.get("init_args") or {}
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if odd := sorted(map(str, network.keys() - known)):
        raise Mistake(f"{path}: model.network has no {', '.join(odd)}; it has {', '.join(sorted(known))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in network.items()}
    try:
        return kind(**values), run
    except (ValueError, TypeError) as error:
        raise Mistake(f"{path}: model.network: {error}") from error


def schemed_of(config: NetworkConfig, path: Path) -> Schemed:
    """`config`, of which a scheme can be exchanged for another.

    Raises:
        ValueError: it is of another kind of network; the message names the file.
    """
    if not isinstance(config, Schemed):
        raise Mistake(
            f"{path}: model.network is a {type(config).__name__}, in which no scheme can stand for another; give a "
            "configuration with a VideoTransformerConfig or a HierarchicalConfig"
        )
    return config
