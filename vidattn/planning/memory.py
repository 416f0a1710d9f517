"""Memory of one GPU in training, by what it is for."""

from dataclasses import dataclass

from vidattn.planning.job import Job

FP32, BF16 = 4, 2  # bytes
MOMENTS = 2
"""That AdamW keeps of each number that learns (https://arxiv.org/abs/1711.05101)."""


@dataclass(frozen=True)
class Memory:
    """Bytes of one GPU: each has all weights (DDP), in fp32, and computes in bf16 (autocast).

    Attributes:
        weights: in fp32.
        copies: of the weights in bf16, which autocast keeps through a step.
        gradients: in fp32.
        buckets: in which DDP sends the gradients.
        optimizer: AdamW's moments.
        activations: that the backward pass needs.
    """

    weights: int
    copies: int
    gradients: int
    buckets: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of them. What a kernel needs while it runs, and what the allocator cannot use, come on top."""
        return self.fixed + self.activations

    @property
    def fixed(self) -> int:
        """What does not depend on the batch."""
        return self.weights + self.copies + self.gradients + self.buckets + self.optimizer


def memory(job: Job, gpus: int) -> Memory:
    """Of each GPU of so many."""
    cost = job.cost
    return Memory(
        weights=FP32 * cost.parameters,
        copies=BF16 * cost.parameters,
        gradients=FP32 * cost.trained,
        buckets=FP32 * cost.trained if gpus > 1 else 0,
        optimizer=MOMENTS * FP32 * cost.trained,
        activations=job.batch * cost.activation_bytes,
    )


def largest_batch(job: Job, gpu_gb: float) -> int:
    """Clips of a step that a GPU of so many gigabytes holds, a tenth of it left for what is not counted; 0 for none."""
    free = 0.9 * gpu_gb * 1e9 - memory(job, gpus=2).fixed
    return max(0, int(free // job.cost.activation_bytes))
