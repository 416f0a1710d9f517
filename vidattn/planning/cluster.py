"""Machines, in the numbers that decide how fast they train. Whatever is not given is assumed, and says where from."""

import math
from dataclasses import dataclass, fields, replace

from vidattn.checks import check_above_zero, check_positive
from vidattn.mistakes import Mistake

ASSUMED = {
    "gpus_per_node": "DGX H100's data sheet",
    "cores_per_node": "DGX H100's data sheet",
    "gpu_tflops": "H100 SXM's data sheet, bf16, dense",
    "mfu": "between the 0.18 that TimeSformer's published 416 hours of V100 (fp32) come to and PaLM's 0.46 "
    "(arXiv 2204.02311, table 3); measure yours",
    "gpu_gb": "H100 SXM's data sheet",
    "decode_clips_per_core": "vidattn bench-loader, 8x32 of ten seconds at 340x256; measure yours (--sample)",
    "bytes_per_second_of_video": "mean of three videos of Kinetics, H.264, 340x256; give yours, or --sample",
    "storage_gbps": "a guess: all nodes together get 10 GB a second; ask who runs it",
    "network_gbps": "DGX H100's data sheet: 8 cards of 400",
    "link_gbps": "H100 SXM's data sheet: NVLink, 900 GB a second, half of it each way",
    "spread": "a guess: deviation of a GPU's step time over its mean",
    "prefetch": "PyTorch's prefetch_factor, for each worker",
    "node_hours": "419 failures of 16,384 GPUs in 54 days (arXiv 2407.21783, section 3.3.4), 8 GPUs a node",
    "restart_minutes": "a guess: until all processes train again",
}
"""Where each default comes from."""


@dataclass(frozen=True)
class Cluster:
    """Machines. A gigabit is 1e9 bits.

    Args:
        gpus: in all.
        gpus_per_node: of a machine.
        cores_per_node: of a machine that decode, physical ones.
        gpu_tflops: peak of a GPU in the precision of the training, 1e12 FLOPs a second.
        mfu: share of that peak that training reaches (model FLOPs utilization).
        gpu_gb: memory of a GPU, 1e9 bytes.
        decode_clips_per_core: clips that one core decodes and transforms in a second.
        bytes_per_second_of_video: of the files.
        storage_gbps: gigabits a second that the storage gives to all machines together.
        network_gbps: gigabits a second between machines, each way, of one machine.
        link_gbps: gigabits a second between the GPUs of a machine, each way.
        spread: deviation of a GPU's step time, as a share of its mean.
        prefetch: batches that each loading worker (one a core) may be ahead.
        node_hours: mean time between failures of a machine.
        restart_minutes: from a failure to the next step.
        checkpoint_minutes: between checkpoints; at the end of each epoch where None.
        clips_per_gpu: clips of this very network that one GPU trains on in a second, instead of peak and share.
        price_per_gpu_hour: in whatever currency.

    Raises:
        ValueError: a number is none that can be.
    """

    gpus: int
    gpus_per_node: int = 8
    cores_per_node: float = 112
    gpu_tflops: float = 989
    mfu: float = 0.35
    gpu_gb: float = 80
    decode_clips_per_core: float = 14.7
    bytes_per_second_of_video: float = 80e3
    storage_gbps: float = 80
    network_gbps: float = 3200
    link_gbps: float = 3600
    spread: float = 0.02
    prefetch: int = 2
    node_hours: float = 6300
    restart_minutes: float = 10
    checkpoint_minutes: float | None = None
    clips_per_gpu: float | None = None
    price_per_gpu_hour: float | None = None

    def __post_init__(self) -> None:
        check_positive(gpus=self.gpus, gpus_per_node=self.gpus_per_node, prefetch=self.prefetch)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        unbounded = ("spread", "restart_minutes", "price_per_gpu_hour")
        check_above_zero(
            **{name: value for name, value in values.items() if value is not None and name not in unbounded}
        )
        for name in unbounded:
            if values[name] is not None and not 0 <= values[name] < math.inf:
                raise Mistake(f"{name}={values[name]} must be 0 or more")
        if self.mfu > 1:
            raise Mistake(f"mfu={self.mfu} is a share of the peak; write a number above 0 and at most 1, such as 0.35")

    @property
    def nodes(self) -> int:
        """Machines, the last of which may have fewer GPUs in use."""
        return math.ceil(self.gpus / self.gpus_per_node)

    @property
    def cores(self) -> float:
        """That decode, in all: those that belong to the GPUs in use."""
        return self.gpus / self.gpus_per_node * self.cores_per_node

    def of(self, gpus: int) -> "Cluster":
        """The same machines, more of them or fewer; storage stays as it is."""
        return replace(self, gpus=gpus)
