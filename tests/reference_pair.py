"""A network of ours and Hugging Face's TimeSformer with the same weights."""

import torch

from vidattn.bench.model import networks_of
from vidattn.checkpoints.renaming import renamed
from vidattn.checkpoints.sources import huggingface
from vidattn.models.config import VideoTransformerConfig


def random_pair(attention, frames, size, heads):
    """Our network and HF's with the same weights, every parameter random: zeros would hide a wrong mapping."""
    torch.manual_seed(0)
    config = VideoTransformerConfig(
        attention=attention,
        num_classes=7,
        num_frames=frames,
        image_size=size,
        embed_dim=16 * heads,
        depth=3,
        num_heads=heads,
    )
    ours, theirs = networks_of(config)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    ours.load_state_dict(renamed(theirs.model.state_dict(), huggingface.SCHEMES[attention], ours))
    return ours.eval(), theirs.eval()
