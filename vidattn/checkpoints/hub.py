"""Where a source lies: a file or folder here, or a model on the Hugging Face hub, which is fetched."""

import re
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from vidattn.checkpoints.files import WEIGHTS
from vidattn.checkpoints.names import WeightsError

_MODEL_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_WEIGHT_FILES = {".bin", ".ckpt", ".pt", ".pth", ".pyth", ".safetensors"}


def local_path(source: str | Path, revision: str | None = None) -> Path:
    """The file or folder itself where it exists here; otherwise the folder that the hub's model of that id came to.

    Safetensors are fetched where the model has them, pickled weights only where it has not.

    Args:
        source: a path, or an id such as `facebook/timesformer-base-finetuned-k400`.
        revision: branch, tag or commit on the hub.

    Raises:
        WeightsError: there is no such file, and no such model on the hub, or the hub cannot be reached.
    """
    path = Path(source).expanduser()
    if path.exists():
        return path
    model = str(source)
    here = path.suffix in _WEIGHT_FILES or (path.parent.exists() and path.parent != Path())
    if here or not _MODEL_ID.fullmatch(model):
        raise WeightsError(f"{source}: no such file or folder (a model on the hub is written owner/name)")
    try:
        for name in WEIGHTS:
            stem, suffix = name.split(".")
            folder = Path(snapshot_download(model, revision=revision, allow_patterns=["*.json", f"{stem}*.{suffix}"]))
            if any(folder.glob(f"{stem}*.{suffix}")):
                break
    except RepositoryNotFoundError:
        raise WeightsError(f"{source}: no such file here, and no such model on the Hugging Face hub") from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{source}: no such file here, and the hub's model cannot be had ({reason})") from error
    return folder
