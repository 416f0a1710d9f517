"""Checkpoints that are on disk whole or not at all."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from vidattn.mistakes import Mistake
from vidattn.writable import make_folder, put_in_place, refused


class WholeFiles(TorchCheckpointIO):
    """Lightning's, but a local file is written beside the one of before and put in its place when it is complete.

    Lightning's is written to the system's temporary folder and moved: to another file system that is a copy over the
    good checkpoint, which a full disk or a kill in its middle destroys.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """
        Raises:
            ValueError: there is no room for it; what was there before is as it was.
        """
        if "://" in str(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        file = Path(path)
        make_folder(file.parent)
        there = file.exists()
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            with put_in_place(file) as part:
                part.write_bytes(content.getbuffer())
        except OSError as error:
            kept = f" ({file} is the one of before: resume from it)" if there else ""
            reason = refused(OSError(error.errno, error.strerror), file) or f"{file}: {error.strerror or error}"
            raise Mistake(f"no room for a checkpoint: {reason}{kept}") from error
