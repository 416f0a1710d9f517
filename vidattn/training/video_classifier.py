"""The first task: what is happening in this video? Learnt from labels alone."""

from torch import Tensor

from vidattn.training.classification import Classification


class VideoClassifier(Classification):
    """Trains and evaluates a video network on batches of `VideoDataModule`, whose lists have labels.

    Its arguments are those of `vidattn.training.classification.Classification`.
    """

    def learn(self, video: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The objective's loss: cross-entropy by default."""
        logits = self.network(video)
        return logits, self.objective.loss(logits.float(), targets)
