"""Whether a checkpoint can answer: without a head that was trained it cannot."""

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.checkpoints.renaming import WeightsError


def check_head(model: Pretrained, source: str) -> None:
    """Raise where the head of a network is fresh, so that its answers would be random.

    Args:
        model: as it was loaded.
        source: what it was loaded from, for the message.

    Raises:
        WeightsError: it is; the message says what can be done instead.
    """
    if not model.head_is_fresh:
        return
    if model.is_detector:
        raise WeightsError(
            f"{source}: a detector of actions, which has no head for whole videos; ask vidattn detect (in Python "
            f"vidattn.Detector) who does what in them, or train a head: vidattn fit --model.weights {source}"
        )
    raise WeightsError(f"{source}: has no head, so no answers; train one: vidattn fit --model.weights {source}")
