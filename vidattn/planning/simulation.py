"""A training step by step, in a computer's time: stragglers, loaders with a queue each, failures."""

from dataclasses import dataclass

import numpy as np

from vidattn.checks import check_positive
from vidattn.planning.closed_form import Plan
from vidattn.planning.loader_queue import LoaderQueues
from vidattn.planning.stragglers import Stragglers

TOGETHER = 1 << 20
"""Times of batches that are drawn at once."""


@dataclass(frozen=True)
class Simulated:
    """How one simulated training went.

    Attributes:
        steps: of the epoch that was simulated.
        epoch_seconds: that it took.
        waited_seconds: of these, what the GPUs waited for loaders.
        seconds: of the whole training.
        failures: that it met.
    """

    steps: int
    epoch_seconds: float
    waited_seconds: float
    seconds: float
    failures: int


def simulate(plan: Plan, seed: int = 0, loader_spread: float = 0.1, most_steps: int = 1_000_000) -> Simulated:
    """One epoch, step by step, and the failures of all epochs of that length.

    Args:
        plan: whose numbers it takes.
        seed: of all that is drawn.
        loader_spread: deviation of the time in which a machine makes its next batches, over its mean.
        most_steps: of an epoch; a longer one is as long as these in proportion.
    """
    check_positive(most_steps=most_steps)
    rng = np.random.default_rng(seed)
    cluster, limits = plan.cluster, plan.limits
    steps = min(plan.job.steps(cluster.gpus), most_steps)
    gpus, loaders = Stragglers(cluster.spread), Stragglers(loader_spread)
    after = limits["gpu"] - plan.gpu_seconds * gpus.slowest(cluster.gpus)  # the last bucket
    workers = max(1, int(cluster.cores_per_node / cluster.gpus_per_node))
    queues = LoaderQueues(cluster.nodes, cluster.prefetch * workers)
    making = max(limits["decode"], limits["storage"])
    waited, first = 0.0, 0
    together = max(queues.depth, TOGETHER // cluster.nodes // queues.depth * queues.depth)
    while first < steps:
        count = min(together, steps - first)
        computing = plan.gpu_seconds * gpus.draw_slowest(rng, cluster.gpus, count) + after
        training = np.maximum(computing, limits["network"])
        waited += queues.run(making * loaders.draw(rng, (cluster.nodes, count)), training).waited
        first += count
    scale = plan.job.steps(cluster.gpus) / steps
    epoch = queues.end * scale
    failures = plan.failures
    if cluster.checkpoint_minutes is None:
        failures = type(failures)(failures.mean_seconds, failures.restart_seconds, epoch)
    survived = failures.simulate(plan.job.epochs * epoch, rng)
    return Simulated(steps, epoch, waited * scale, survived.seconds, survived.failures)
