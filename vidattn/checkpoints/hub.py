"""Where a source lies: a file or folder here, or a model on the Hugging Face hub, which is fetched."""

import os
import re
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from vidattn.checkpoints.files import WEIGHTS
from vidattn.checkpoints.nearby import WEIGHT_FILES, nearest_path
from vidattn.checkpoints.renaming import WeightsError

_MODEL_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")


def local_path(source: str | Path, revision: str | None = None) -> Path:
    """The file or folder itself where it exists here; otherwise the folder that the hub's model of that id came to.

    Safetensors are fetched where the model has them, pickled weights only where it has not.

    Args:
        source: a path, or an id such as `facebook/timesformer-base-finetuned-k400`.
        revision: branch, tag or commit on the hub.

    Raises:
        TypeError: the source is no path and no id.
        WeightsError: there is no such file, and no such model on the hub, or the hub cannot be reached.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(
            f"source of type {type(source).__name__}: wanted a path, or the id of a model on the hub (owner/name); a "
            "network goes into vidattn.Classifier(network, class_names, preparation) as it is"
        )
    try:
        path = Path(source).expanduser()
        there = path.exists()
    except RuntimeError:  # of expanduser
        raise WeightsError(f"{source}: no such user; write the folder out instead of {Path(source).parts[0]}") from None
    except OSError as error:
        raise WeightsError(f"{source}: {(error.strerror or str(error)).lower()}") from None
    if there:
        return path
    model = str(source)
    missing = f"{source}: no such file or folder"
    near = nearest_path(path)
    meant = f"; did you mean {near}?" if near else ""
    here = path.suffix in WEIGHT_FILES or (path.parent.exists() and path.parent != Path())
    if here or not _MODEL_ID.fullmatch(model):
        raise WeightsError(f"{missing}{meant or ' (a model on the hub is written owner/name)'}")
    try:
        for name in WEIGHTS:
            stem, suffix = name.split(".")
            folder = Path(snapshot_download(model, revision=revision, allow_patterns=["*.json", f"{stem}*.{suffix}"]))
            if any(folder.glob(f"{stem}*.{suffix}")):
                break
    except GatedRepoError:
        raise WeightsError(
            f"{missing}, and the hub's model is for those who asked for it: ask on https://huggingface.co/{model}, "
            "then hf auth login"
        ) from None
    except RepositoryNotFoundError:
        raise WeightsError(f"{missing}, and no such model on the Hugging Face hub (public, or yours){meant}") from None
    except LocalEntryNotFoundError as error:
        raise WeightsError(
            f"{missing}{meant or '.'} The Hugging Face hub cannot be asked: no connection, or HF_HUB_OFFLINE is set. "
            f"Elsewhere: hf download {model} --local-dir FOLDER; then give FOLDER here, or set HF_HOME to a cache that "
            "holds the model"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{missing}{meant or '.'} The hub's model cannot be had ({reason})") from error
    return folder
