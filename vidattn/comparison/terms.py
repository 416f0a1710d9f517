"""What a word of `vidattn compare` stands for: a scheme in the network at hand, or a preset, which is its own."""

from dataclasses import replace
from typing import Any

from vidattn.models.presets import PRESETS, Schemed


def config_of(term: str, base: Schemed, **changes: Any) -> Schemed:
    """The network that `term` stands for.

    >>> from vidattn import preset
    >>> config_of("joint", preset("Ti")).attention, config_of("swin3d-t", preset("Ti")).widths
    ('joint', (96, 192, 384, 768))

    Args:
        term: a scheme, or a preset's name.
        base: everything else, where it is a scheme.
        changes: fields that are the same for all.
    """
    if term in PRESETS:
        return replace(PRESETS[term], **changes)
    return replace(base, attention=term, **changes)
