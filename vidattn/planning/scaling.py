"""The same job on more GPUs, and on fewer."""

from typing import NamedTuple

from vidattn.planning.closed_form import plan
from vidattn.planning.cluster import Cluster
from vidattn.planning.job import Job
from vidattn.planning.simulation import simulate


class Scaled(NamedTuple):
    """Efficiencies over numbers of GPUs, from 0 to 1.

    Attributes:
        gpus: how many.
        limits: what may bind -> the efficiency that it allows, for each number.
        simulated: number of GPUs -> efficiency of a simulation; for powers of two and the cluster itself.
    """

    gpus: list[int]
    limits: dict[str, list[float]]
    simulated: dict[int, float]

    @property
    def efficiency(self) -> list[float]:
        """Of the closed form."""
        return [min(values) for values in zip(*self.limits.values(), strict=True)]


def scale(job: Job, cluster: Cluster, times: int = 8, steps: int = 2000) -> Scaled:
    """From one GPU to `times` as many as there are; storage and the batch of a GPU stay as they are.

    Args:
        job: the training.
        cluster: its machines.
        times: the largest number, in those of the cluster.
        steps: that are simulated for each number.
    """
    most = times * cluster.gpus
    powers = {1 << power for power in range(most.bit_length())}
    between = {round(2 ** (eighth / 8)) for eighth in range(8 * most.bit_length())}
    gpus = sorted(number for number in {*powers, *between, cluster.gpus, most} if number <= most)
    plans = {number: plan(job, cluster.of(number)) for number in gpus}
    limits = {
        name: [min(1.0, one.gpu_seconds / one.limits[name]) for one in plans.values()]
        for name in plans[cluster.gpus].limits
    }
    simulated = {}
    for number in sorted({*powers, cluster.gpus} & set(gpus)):
        one = plans[number]
        went = simulate(one, most_steps=max(1, min(steps, (1 << 22) // one.cluster.nodes)))
        simulated[number] = one.gpu_seconds * job.steps(number) / went.epoch_seconds
    return Scaled(gpus, limits, simulated)
