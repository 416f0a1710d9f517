"""What follows the logits of a network: probabilities, as everything answers with them."""

from torch import Tensor, nn

from vidattn.calibration.calibration import Calibration


class Probabilities(nn.Module):
    """Logits -> probabilities: a softmax, or a sigmoid of each class, behind the calibration. Without parameters, so
    that it can stand behind any network, in a graph as well.

    Args:
        multi_label: classes do not exclude one another.
        calibration: what was measured of the network's answers.
    """

    def __init__(self, multi_label: bool = False, calibration: Calibration = Calibration()) -> None:
        super().__init__()
        self.multi_label = multi_label
        self.calibration = calibration

    def forward(self, logits: Tensor) -> Tensor:
        """`(..., K)` -> `(..., K)` in [0, 1]."""
        logits = self.calibration.logits(logits)
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)
