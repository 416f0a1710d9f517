"""What was measured of a trained network's answers, kept with its weights as plain numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from vidattn.mistakes import Mistake

NONE = "none of these"
"""The answer where no class reaches the threshold."""


@dataclass(frozen=True)
class Threshold:
    """The probability from which an answer is given; below it the answer is "none of these".

    The score is the likeliest class's probability, as in https://arxiv.org/abs/1610.02136.

    Args:
        least: a probability, in [0, 1].
        false_alarms: share of clips of other classes that reach it.
        clips: how many of those it was measured on.

    Raises:
        ValueError: a share lies outside [0, 1].
    """

    least: float
    false_alarms: float
    clips: int

    def __post_init__(self) -> None:
        for name in ("least", "false_alarms"):
            if not 0 <= getattr(self, name) <= 1:
                raise Mistake(f"{name}={getattr(self, name)} of a threshold is no share; wanted 0 to 1")

    @property
    def words(self) -> str:
        """Why an answer is "none of these".

        >>> Threshold(0.62, 0.05, 200).words
        'none of these: no class reaches 62.0%, as 5.0% of clips of other classes do'
        """
        return f"{NONE}: no class reaches {self.least:.1%}, as {self.false_alarms:.1%} of clips of other classes do"


@dataclass(frozen=True)
class Calibration:
    """Logits become `logits / temperature + bias`: with it a class that is held 80% likely is right 80% of the time.

    One number for a softmax: https://arxiv.org/abs/1706.04599, section 4.2. Two for classes with a probability of their
    own (Platt's scaling, shared by all classes). The order of the classes does not change.

    >>> Calibration(temperature=2.0).to_dict()
    {'temperature': 2.0}

    Args:
        temperature: more than 1 makes answers less sure.
        bias: added to each logit; without effect on a softmax.
        threshold: from which probability on an answer is given; all answers are where None.
        views: of a video, at most, in the answers that it was measured on: each was the mean over them.

    Raises:
        ValueError: the temperature is not more than 0, or a number is not finite.
    """

    temperature: float = 1.0
    bias: float = 0.0
    threshold: Threshold | None = None
    views: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise Mistake(f"temperature={self.temperature} of a calibration must be more than 0 and finite")
        if not abs(self.bias) < float("inf"):
            raise Mistake(f"bias={self.bias} of a calibration must be finite")
        if self.views < 1:
            raise Mistake(f"views={self.views} of a calibration must be at least 1")

    def doubts(self, views: int) -> list[str]:
        """A note where it is to be used for means over another number of views than it was measured on.

        >>> Calibration(temperature=2.0).doubts(10)[0][:81]
        'probabilities were calibrated as means over 1 view of a video, and these are over'
        """
        if not self.to_dict() or views == self.views:
            return []
        measured = "1 view" if self.views == 1 else f"{self.views} views"
        return [
            f"probabilities were calibrated as means over {measured} of a video, and these are over {views}; "
            "vidattn calibrate with the same --num-clips and --num-crops measures them"
        ]

    def logits(self, logits: Tensor) -> Tensor:
        """Logits of any shape -> those whose probabilities are calibrated; the very same where none is needed."""
        if self.temperature != 1:
            logits = logits / self.temperature
        return logits + self.bias if self.bias else logits

    def to_dict(self) -> dict[str, Any]:
        """What is not as in a fresh network, in plain types, as checkpoints hold it."""
        known: dict[str, Any] = {}
        if self.temperature != 1:
            known["temperature"] = self.temperature
        if self.bias:
            known["bias"] = self.bias
        if self.threshold is not None:
            known["threshold"] = asdict(self.threshold)
        if known and self.views != 1:
            known["views"] = self.views
        return known

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        """What `to_dict` was given; other keys are passed over.

        Raises:
            ValueError: an entry is of another kind.
        """
        try:
            threshold = stored.get("threshold")
            return cls(
                float(stored.get("temperature", 1.0)),
                float(stored.get("bias", 0.0)),
                None
                if threshold is None
                else Threshold(float(threshold["least"]), float(threshold["false_alarms"]), int(threshold["clips"])),
                int(stored.get("views", 1)),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise Mistake(
                f"calibration={str(stored)[:80]} cannot be read ({type(error).__name__}: {error}); wanted temperature, "
                "bias and threshold; vidattn calibrate writes them anew"
            ) from None
