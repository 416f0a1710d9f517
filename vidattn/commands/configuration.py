"""How the words and YAML files of `vidattn fit` and the like are read, and how a configuration is written."""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import yaml
from jsonargparse import get_loader, set_loader
from pytorch_lightning.cli import LightningArgumentParser

from vidattn.data.flat_keys import key_meant, nested
from vidattn.mistakes import Mistake
from vidattn.models.config import VideoTransformerConfig
from vidattn.old_names import renewed
from vidattn.public import public_path
from vidattn.training import objective, schedule
from vidattn.wording import did_you_mean

TRANSFORMER = public_path(VideoTransformerConfig)

_read_yaml = get_loader("yaml")
set_loader("yaml", lambda text: nested(_read_yaml(renewed(text))), exceptions=(yaml.YAMLError,))


class Parser(LightningArgumentParser):
    """Lightning's, but arguments that are wrong are a `ValueError` like any other mistake, without screens of usage,
    and one that is cut short is wrong: `TrainerCLI` looks for some by their names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def dump(self, *args: Any, **kwargs: Any) -> str:
        """The configuration as text; a video transformer's fields stand directly below `network`, as by hand.

        What was parsed is not looked through again for mistakes, which took most of the time.
        """
        text = super().dump(*args, **{"skip_validation": True} | kwargs)
        if TRANSFORMER not in text:
            return text
        values = yaml.safe_load(text)
        model = values.get("model") if isinstance(values, dict) else None
        task = model.get("init_args", model) if isinstance(model, dict) else {}
        network = task.get("network")
        if not (isinstance(network, dict) and network.get("class_path") == TRANSFORMER):
            return text
        task["network"] = network.get("init_args", {})
        return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=float("inf"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Writes the configuration, likewise."""
        super().save(*args, **{"skip_validation": True} | kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raises:
        ValueError: where Lightning's would print the usage and exit.
        """
        if not self.exit_on_error:
            super().error(message, ex)
        raise Mistake(message + class_meant(message) + key_meant(message)) from ex


def class_meant(message: str) -> str:
    """What to add to a message of jsonargparse's about a misspelt class of ours.

    >>> class_meant("Expected a dot import path string: WarmupCosin")
    "; did you mean 'WarmupCosine'?"
    >>> class_meant("unrecognized arguments: --model.shedule")
    ''
    """
    known = [name for room in (objective, schedule) for name, value in vars(room).items() if isinstance(value, type)]
    written = re.search(r"(?:Expected a dot import path string: |has no attribute ')(\w+)(?:'.*)?$", message)
    return did_you_mean(written[1], known) if written else ""


def names_task(words: Sequence[str]) -> bool:
    """Whether the arguments, or a configuration that they name, say by its class which task the model is.

    >>> names_task(["fit", "--model", "my_package.MyTask"]), names_task(["fit", "--model.network.depth", "2"])
    (True, False)
    """
    for option, value in given(words):
        if option == "--model.class_path" or (option == "--model" and is_class(value)):
            return True
        if option in ("--config", "-c") and is_class((read_yaml(value) or {}).get("model")):
            return True
    return False


def given(words: Sequence[str]) -> list[tuple[str, str]]:
    """Options and what is said of them, written as two words or as one."""
    pairs = [(option, value) for option, _, value in (word.partition("=") for word in words) if value]
    return [*pairwise(words), *pairs]


def is_class(model: Any) -> bool:
    """Whether what stands for the model names its class: by itself, in a mapping, or in a file of one."""
    if isinstance(model, str):
        within = read_yaml(model)
        return "class_path" in within if within is not None else True
    return isinstance(model, Mapping) and "class_path" in model


def read_yaml(text: str) -> Mapping[str, Any] | None:
    """A mapping out of a file, or out of the text itself; None where it is none, which the parser then says."""
    try:
        values = yaml.safe_load(Path(text).read_text() if os.path.isfile(text) else text)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return values if isinstance(values, Mapping) else None
