"""Keys under `data` without the name of their part: `data.reader` for `data.decoding.reader`.

Configurations of before 0.2 have no parts, and on a command line and in Python the short key is the handier one.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from vidattn.mistakes import Mistake
from vidattn.wording import did_you_mean, nearest_word

PARTS = {
    "lists": ("train", "val", "test", "predict", "root", "class_names", "folder_fps", "multi_label", "few_labels"),
    "views": (
        "image_size",
        "train_transforms",
        "num_val_clips",
        "num_val_crops",
        "num_test_clips",
        "num_test_crops",
    ),
    "decoding": ("reader", "on_error", "decode_timeout", "quarantine", "index", "cache"),
    "loading": (
        "batch_size",
        "clips_per_video",
        "crops_per_clip",
        "eval_batch_size",
        "num_workers",
        "shuffle_buffer",
    ),
}
"""Part -> its keys."""

WHOLE = ("sampling", "boxes", "make", "balance", "seed", "target")
"""What belongs to no part."""

PART_OF = {name: part for part, names in PARTS.items() for name in names}


def by_part(named: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values by the part that they belong to; a part of which none is named has none.

    >>> by_part({"reader": "decord", "batch_size": 4})
    {'lists': {}, 'views': {}, 'decoding': {'reader': 'decord'}, 'loading': {'batch_size': 4}}

    Raises:
        ValueError: no part has such a name.
    """
    parts: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for name, value in named.items():
        if name not in PART_OF:
            raise Mistake(f"VideoDataModule has no argument {name!r}{did_you_mean(name, [*PART_OF, *PARTS, *WHOLE])}")
        parts[PART_OF[name]][name] = value
    return parts


def nested(run: Any) -> Any:
    """A configuration of `vidattn fit` with each key of its data in its part. Anything else stays as it is.

    >>> nested({"data": {"reader": "decord", "seed": 1, "loading": {"batch_size": 4}, "num_workers": 2}})
    {'data': {'seed': 1, 'loading': {'batch_size': 4, 'num_workers': 2}, 'decoding': {'reader': 'decord'}}}

    Raises:
        ValueError: a value stands there twice, by itself and in its part.
    """
    if not isinstance(run, dict) or not isinstance(run.get("data"), dict):
        return run
    data = {key: value for key, value in run["data"].items() if key not in PART_OF}
    for name, value in run["data"].items():
        if name not in PART_OF:
            continue
        part = PART_OF[name]
        given = data.get(part) or {}
        if not isinstance(given, dict) or name in given:
            raise Mistake(f"data.{name} stands beside data.{part}={given!r}; write it there, once")
        data[part] = {**given, name: value}
    return run | {"data": data}


def nested_words(words: Iterable[str]) -> list[str]:
    """The words of a command line, likewise; `--data` may name a file of keys, or be followed by them.

    >>> nested_words(["--data.reader", "pyav", "--data.train_transforms+=torch.nn.ReLU", "--data.seed=1"])
    ['--data.decoding.reader', 'pyav', '--data.views.train_transforms+=torch.nn.ReLU', '--data.seed=1']
    >>> nested_words(["--data", "{reader: pyav, seed: 1}"])
    ['--data', '{"seed": 1, "decoding": {"reader": "pyav"}}']

    Raises:
        ValueError: a value stands there twice, by itself and in its part.
    """
    done: list[str] = []
    for word in words:
        if done and done[-1] == "--data":
            done.append(_nested_text(word))
        elif word.startswith("--data="):
            done.append(f"--data={_nested_text(word.removeprefix('--data='))}")
        else:
            name = re.match(r"--data\.(\w+)", word)
            part = PART_OF.get(name[1]) if name else None
            done.append(word.replace("--data.", f"--data.{part}.", 1) if part else word)
    return done


def _nested_text(text: str) -> str:
    """The keys of the data that stand in a file of this name, or in the text itself; what is neither, as it is."""
    try:
        data = yaml.safe_load(text if text.lstrip().startswith("{") else Path(text).read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return text  # jsonargparse says what is wrong
    return json.dumps(nested({"data": data})["data"]) if isinstance(data, dict) else text


def key_meant(message: str) -> str:
    """What to add to a message of jsonargparse's about a misspelt key of the data.

    >>> key_meant("unrecognized arguments: --data.raeder=pyav"), key_meant("unrecognized arguments: --model.depht")
    ("; did you mean 'data.decoding.reader'?", '')
    """
    written = re.search(r"(?:arguments: --|does not accept option ')data\.(?:\w+\.)?(\w+)", message)
    known = [*PART_OF, *PARTS, *WHOLE]
    near = nearest_word(written[1], known) if written else None
    return f"; did you mean 'data.{_in_part(near)}'?" if near else ""


def _in_part(name: str) -> str:
    return f"{PART_OF[name]}.{name}" if name in PART_OF else name
