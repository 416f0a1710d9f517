"""Dotted names of classes as configurations and checkpoints of before 0.2 hold them."""

import re

ROOMS = {
    "vidattn.data.balance": "vidattn.data",
    "vidattn.data.sampling": "vidattn.data",
    "vidattn.data.synthetic": "vidattn.data",
    "vidattn.data.transforms": "vidattn.data",
    "vidattn.training.classifier": "vidattn.training",
    "vidattn.training.freezing": "vidattn.training",
    "vidattn.training.objective": "vidattn.training",
    "vidattn.training.schedule": "vidattn.training",
}
"""Module of then -> the package that hands on its classes now."""

_OLD = re.compile(rf"\b({'|'.join(map(re.escape, ROOMS))})\.(?=[A-Z])")


def renewed(text: str) -> str:
    """The text with the classes' public names in place of those of then.

    >>> renewed("class_path: vidattn.data.sampling.StrideSampling")
    'class_path: vidattn.data.StrideSampling'
    """
    return _OLD.sub(lambda match: f"{ROOMS[match[1]]}.", text)
