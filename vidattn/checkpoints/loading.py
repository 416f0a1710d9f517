"""Loading a network, or weights into one, from anywhere."""

from pathlib import Path
from typing import Any

from torch import nn

from vidattn.checkpoints.filling import Resize, built_and_filled, filled
from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.transfer.transfer import Inflation
from vidattn.models.network import NetworkConfig


def load(
    source: str | Path,
    *,
    resize: Resize = "smooth",
    inflation: Inflation = "central",
    revision: str | None = None,
    **changes: Any,
) -> Pretrained:
    """The network that `source` holds, in evaluation mode, with class names, preprocessing and a report.

    `load("clips.ckpt", attention="joint", num_frames=16)` makes the network that the changes describe and takes over
    all that has a meaning in it. `report` of the result says what was resized, reset, left out or assumed, now or when
    the folder was written.

    Args:
        source: a folder that `save_pretrained` wrote, or its `model.safetensors`; a checkpoint or the folder of a
            `vidattn fit` run; an official TimeSformer `.pyth`, V-JEPA 2 or 2.1 `.pt` (an encoder, or a probe with the
            encoder beside it), or VideoMAE, VideoMAEv2 or Hiera `.pth`; torchvision's Video Swin or MViTv2,
            timm's image Swin; a Hugging Face TimeSformer, ViViT, V-JEPA 2 or VideoMAE (fine-tuned or pre-trained) or an
            image ViT of Hugging Face's or timm's: a folder or the id of a model on the hub
            (`timm/vit_base_patch16_224.augreg_in21k`), of timm's also the file. An image ViT becomes a network with
            divided attention unless `attention` says otherwise.
        resize: how tables get another size: bicubic in space and linear in time, or as TimeSformer's own code does
            (nearest, in a row), which reproduces its numbers.
        inflation: how a patch of one frame becomes a tubelet: on its central frame, or the average of its frames.
        revision: branch, tag or commit on the hub.
        changes: fields of its configuration that shall differ from the file's.

    Raises:
        TypeError: the source is no path and no id.
        WeightsError: the source cannot be read, is none of these, or does not fit the changes.
        ValueError: a change or an option is not valid, or there is none of that name.
    """
    return Pretrained.of(built_and_filled(source, resize, inflation, revision, changes)).eval()


def load_weights(
    network: nn.Module,
    config: NetworkConfig,
    source: str | Path,
    resize: Resize = "smooth",
    inflation: Inflation = "central",
) -> Pretrained:
    """Fill `network` from `source`; the report of the result says what was not taken over as it was.

    Another scheme takes over what has a meaning in both, tables of another size are resized, and a head of another
    number of classes keeps its fresh weights. Width, depth, heads and patches must be the same.

    Args:
        network: the network to fill, built from `config`.
        config: its configuration.
        source: see `load`.
        resize: see `load`.
        inflation: see `load`.

    Raises:
        WeightsError: the source cannot be read or does not fit; the network is untouched then.
        ValueError: an option is not valid.
    """
    return Pretrained.of(filled(network, config, source, resize, inflation))
