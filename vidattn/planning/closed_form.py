"""How long a training takes, in closed form: each thing that may bind gives the shortest step it allows."""

from dataclasses import dataclass, replace

from vidattn.planning.cluster import Cluster
from vidattn.planning.failures import Failures
from vidattn.planning.job import Job
from vidattn.planning.stragglers import Stragglers

GRADIENT_BYTES = 4
"""Gradients are in fp32 under bf16 autocast, as Lightning's bf16-mixed has it."""

BUCKET_BYTES = 25 * 2**20
"""DDP sends gradients in pieces of this size while the backward pass goes on; the last of them comes after it (Li et
al., https://arxiv.org/abs/2006.15704, section 3.2.3; `bucket_cap_mb` of DistributedDataParallel)."""

HOUR = 3600.0


@dataclass(frozen=True)
class Plan:
    """What a training will take, on average.

    Attributes:
        job: that it is of.
        cluster: that it is on.
        limits: what may bind -> seconds of a step that it allows at least: `gpu`, `decode`, `storage`, `network`.
        gpu_seconds: of a step of one GPU alone.
        gradient_seconds: in which the gradients of a step are sent.
    """

    job: Job
    cluster: Cluster
    limits: dict[str, float]
    gpu_seconds: float
    gradient_seconds: float

    @property
    def binding(self) -> str:
        """What binds."""
        return max(self.limits, key=lambda name: self.limits[name])

    @property
    def step_seconds(self) -> float:
        """Of a step."""
        return max(self.limits.values())

    @property
    def clips_per_second(self) -> float:
        """Of all GPUs, while nothing fails."""
        return self.cluster.gpus * self.job.batch / self.step_seconds

    @property
    def epoch_seconds(self) -> float:
        """Of an epoch, while nothing fails."""
        return self.job.steps(self.cluster.gpus) * self.step_seconds

    @property
    def failures(self) -> Failures:
        """Of the whole cluster."""
        between = self.cluster.checkpoint_minutes
        return Failures(
            self.cluster.node_hours * HOUR / self.cluster.nodes,
            self.cluster.restart_minutes * 60,
            self.epoch_seconds if between is None else between * 60,
        )

    @property
    def seconds(self) -> float:
        """Of the whole training, failures and all."""
        return self.failures.expected(self.job.epochs * self.epoch_seconds)

    @property
    def efficiency(self) -> float:
        """Clips a second over those of as many GPUs that wait for nothing."""
        return self.gpu_seconds / self.step_seconds

    @property
    def gpu_hours(self) -> float:
        """That are to be paid."""
        return self.cluster.gpus * self.seconds / HOUR

    @property
    def price(self) -> float | None:
        """Of the training; None where no price is known."""
        price = self.cluster.price_per_gpu_hour
        return None if price is None else price * self.gpu_hours


def plan(job: Job, cluster: Cluster) -> Plan:
    """What `job` will take on `cluster`.

    A step takes what the slowest of these does, as loaders work ahead: GPUs (the slowest of them, and the last bucket
    of gradients), the cores that decode, the storage, and the network, which brings the files to each machine and the
    gradients, those only while or after the backward pass runs. No evaluation is counted.
    """
    clips = cluster.gpus * job.batch
    if cluster.clips_per_gpu is None:
        alone = job.batch * job.cost.flops / (cluster.gpu_tflops * 1e12 * cluster.mfu)
    else:
        alone = job.batch / cluster.clips_per_gpu
    slowest = alone * Stragglers(cluster.spread).slowest(cluster.gpus)
    gradients = GRADIENT_BYTES * job.cost.trained
    ring = all_reduce_seconds(gradients, cluster)
    last = ring * min(1.0, BUCKET_BYTES / gradients)
    bytes_of_clip = job.seconds * cluster.bytes_per_second_of_video / job.clips_per_video
    brought = clips / cluster.nodes * bytes_of_clip * 8 / (cluster.network_gbps * 1e9)
    forward = slowest * (1 - job.cost.backward_share)
    busy = brought + (ring if cluster.nodes > 1 else 0.0)
    return Plan(
        job,
        cluster,
        {
            "gpu": slowest + last,
            "decode": clips / (cluster.cores * cluster.decode_clips_per_core),
            "storage": clips * bytes_of_clip * 8 / (cluster.storage_gbps * 1e9),
            "network": max(forward + ring, busy),
        },
        alone,
        ring,
    )


def all_reduce_seconds(size: float, cluster: Cluster) -> float:
    """Seconds in which `size` bytes of each GPU become their sum, by a ring: each link carries `2 (n - 1) / n` of them
    (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", Journal of Parallel and
    Distributed Computing 69 (2009), section 3), and the slowest of the links decides.

    Args:
        size: bytes of the gradients.
        cluster: whose links they are.
    """
    rate = cluster.link_gbps if cluster.nodes == 1 else min(cluster.link_gbps, cluster.network_gbps)
    return 2 * (cluster.gpus - 1) / cluster.gpus * size * 8 / (rate * 1e9)


@dataclass(frozen=True)
class Move:
    """What helps where a plan is bound.

    Attributes:
        setting: with its new value.
        plan: with it.
    """

    setting: str
    plan: Plan


def moved(one: Plan) -> Move:
    """The setting of what binds, raised until the next thing does; of GPUs that bind, twice as many."""
    job, cluster, binding = one.job, one.cluster, one.binding
    if binding == "gpu":
        return Move(f"--gpus {2 * cluster.gpus}", plan(job, cluster.of(2 * cluster.gpus)))
    field = {"decode": "cores_per_node", "storage": "storage_gbps", "network": "network_gbps"}[binding]
    if binding == "network" and cluster.nodes == 1 and cluster.link_gbps < cluster.network_gbps:
        field = "link_gbps"
    old, low, high = getattr(cluster, field), 1.0, 2.0
    while plan(job, replace(cluster, **{field: old * high})).binding == binding and high < 1e6:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        if plan(job, replace(cluster, **{field: old * middle})).binding == binding:
            low = middle
        else:
            high = middle
    enough = plan(job, replace(cluster, **{field: old * high}))
    return Move(f"--{field.replace('_', '-')} {old * high:.3g}", enough)
