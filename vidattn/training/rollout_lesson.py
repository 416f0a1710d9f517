"""A teacher's rollout guides the student's, where no step of attention is common to both."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from vidattn.explain.rollout import Walk, followed
from vidattn.grid import Grid
from vidattn.models.network import Network
from vidattn.models.recorder import Recording
from vidattn.training.lessons import Comparison, Pass
from vidattn.training.same_grid import divergence, shares_on_grid
from vidattn.training.teacher import Teacher


class Rollouts(Comparison):
    """Compares what share of the answer each place has; see `TeachMaps`.

    Args:
        student: the network that learns.
        teacher: the one that knows.
        memory_limit: GiB that the weights of each may take.
    """

    def __init__(self, student: Network, teacher: Teacher, memory_limit: float) -> None:
        super().__init__()
        self.networks = (student, teacher)  # a tuple, as the student is not a part of this
        self.memory_limit = memory_limit * 2**30
        self.recordings: list[Recording] = []

    def teacher_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Record all weights."""
        self.release()
        return self._record(self.networks[1].network, clips)

    def student_runs(self, clips: Tensor, turn: int) -> AbstractContextManager:
        """Record all weights."""
        return self._record(self.networks[0], clips)

    def _record(self, network: Network, clips: Tensor) -> Recording:
        self.recordings.append(Recording(followed(network, *clips.shape[2:]), self.memory_limit))
        return self.recordings[-1]

    def forward(self, student: Pass, teacher: Pass) -> Tensor:
        """The divergence of the places' shares."""
        theirs, ours = self.recordings
        with torch.autocast(student.clips.device.type, enabled=False):
            wanted = shares(theirs, self.networks[1].network, teacher)
            found = shares(ours, self.networks[0], student)
        wanted = shares_on_grid(wanted, Grid(found.shape[1], found.shape[2], found.shape[3], 0))
        return divergence(wanted.flatten(1), found.flatten(1))

    def release(self) -> None:
        """The weights."""
        self.recordings = []


def shares(recording: Recording, network: Network, seen: Pass) -> Tensor:
    """`(B, T, H, W)`, each place's share of the answer; 1 for all places together."""
    rolled = Walk(recording.visits, normalised=True).back(network, seen.clips, seen.logits.float())
    return rolled.video / rolled.video.sum((1, 2, 3), keepdim=True).clamp(min=1e-30)


def unfollowed(network: Network) -> str:
    """A step, or a stage, through which no rollout leads that could be trained; empty where there is none."""
    for stage in network.layout(network.config.num_frames, *network.config.size):
        if stage.readout is None:
            return f"{type(network).__name__}, one of whose stages hands its tokens on to other tokens"
        for block in stage.blocks:
            for step in block.steps:  # type: ignore[union-attr]
                if not step.mixes_by_weights:
                    return (
                        f"{type(getattr(step, 'block', step)).__name__}, which does not mix by attention weights alone"
                    )
    return ""
