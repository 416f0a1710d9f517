"""What `vidattn plan` prints and writes."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from vidattn.planning.closed_form import Move, Plan, moved
from vidattn.planning.cluster import Cluster
from vidattn.planning.job import Job
from vidattn.planning.memory import largest_batch, memory
from vidattn.planning.numbers import duration, short
from vidattn.planning.simulation import Simulated
from vidattn.wording import counted

BINDS = {"gpu": "GPUs bind", "decode": "decoding binds", "storage": "storage binds", "network": "the network binds"}
NEXT = {"gpu": "GPUs bind", "decode": "decoding does", "storage": "storage does", "network": "the network does"}
BESIDE = {
    "gpu": "; on each, bf16, a cheaper scheme (vidattn compare) or fewer pixels help",
    "decode": "; files that vidattn prepare writes are read about 4 times as fast",
    "storage": "; smaller files (vidattn prepare) or several clips of each video that is read (--clips-per-video) help "
    "as well",
    "network": "; a larger --batch sends gradients less often",
}


def plan_table(one: Plan, went: Simulated) -> Table:
    """The plan beside what was simulated of it."""
    job, cluster = one.job, one.cluster
    table = Table("", "closed form", "simulated", title_justify="left")
    kind = "pre-training" if job.cost.pretraining else "training"
    table.title = (
        f"{kind} of {job.cost.name}, clips of {job.cost.clip}: {job.clips:,} clips x {counted(job.epochs, 'epoch')}, "
        f"{counted(cluster.gpus, 'GPU')} ({counted(cluster.nodes, 'machine')}) x batch {job.batch}"
    )
    for name, seconds in one.limits.items():
        table.add_row(f"step, as {LIMITS[name]} {'allow' if name == 'gpu' else 'allows'}", duration(seconds), "")
    table.add_row(
        f"epoch, {counted(job.steps(cluster.gpus), 'step')}", duration(one.epoch_seconds),
        duration(went.epoch_seconds), end_section=True,
    )  # fmt: skip
    speed = job.clips / went.epoch_seconds
    table.add_row("clips a second", short(one.clips_per_second), short(speed))
    table.add_row("of GPUs that never wait", f"{one.efficiency:.0%}", f"{ideal_share(one, went):.0%}")
    table.add_row("cores that decode, needed", short(cores_needed(one)), f"there are {short(cluster.cores)}")
    table.add_row("from storage, GB a second", short(storage_rate(one) / 1e9), "")
    table.add_row("gradients, sent and added in", duration(one.gradient_seconds), "", end_section=True)
    table.add_row("failures", f"{failures(one):.2f}", f"{went.failures:,}")
    table.add_row("whole training", duration(one.seconds), duration(went.seconds))
    table.add_row("GPU hours", short(one.gpu_hours), short(cluster.gpus * went.seconds / 3600))
    if one.price is not None:
        table.add_row("price", short(one.price), short(one.price * went.seconds / one.seconds))
    return table


LIMITS = {"gpu": "the GPUs", "decode": "decoding", "storage": "storage", "network": "the network"}


def ideal_share(one: Plan, went: Simulated) -> float:
    """Efficiency of the simulated epoch."""
    return one.gpu_seconds * one.job.steps(one.cluster.gpus) / went.epoch_seconds


def failures(one: Plan) -> float:
    """That are to be expected: so many as the whole time holds."""
    return one.seconds / one.failures.mean_seconds


def cores_needed(one: Plan) -> float:
    """Cores that decode as fast as all else allows."""
    others = max(seconds for name, seconds in one.limits.items() if name != "decode")
    return one.cluster.cores * one.limits["decode"] / others


def storage_rate(one: Plan) -> float:
    """Bytes a second that the training reads."""
    return one.cluster.storage_gbps * 1e9 / 8 * one.limits["storage"] / one.step_seconds


def moving(one: Plan, move: Move) -> str:
    """What binds and what moves it, in a sentence."""
    then = f"then {NEXT[move.plan.binding]}" if move.plan.binding != one.binding else "they go on to bind"
    before, after = duration(one.epoch_seconds), duration(move.plan.epoch_seconds)
    return f"{BINDS[one.binding]}: {move.setting} brings an epoch from {before} to {after}, {then}{BESIDE[one.binding]}"


def memory_lines(job: Job, cluster: Cluster) -> Iterator[str]:
    """Memory of a GPU, and what to do where it is not enough."""
    used = memory(job, cluster.gpus)
    parts = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in asdict(used).items() if size)
    yield (
        f"memory of a GPU: {used.total / 1e9:.1f} of {cluster.gpu_gb:g} GB ({parts}; kernels' own and what the "
        "allocator cannot use come on top)"
    )
    most = largest_batch(job, cluster.gpu_gb)
    if most == 0:
        yield "not even a clip fits: take FSDP2 (configurations' strategy: ModelParallelStrategy) or a smaller network"
    elif most < job.batch:
        yield f"that does not fit: --batch {most} does, and gradient_checkpointing: true of the network keeps less"


def assumed_table(cluster: Cluster, assumed: Mapping[str, str]) -> Table:
    """Settings that nobody gave, and where they are from."""
    table = Table("assumed", "", "source", title_justify="left")
    for name, source in assumed.items():
        table.add_row(f"--{name.replace('_', '-')}", f"{getattr(cluster, name):g}", source)
    return table


def as_json(one: Plan, went: Simulated, assumed: Mapping[str, str]) -> dict[str, Any]:
    """All of it in plain numbers; times in seconds."""
    move = moved(one)
    return {
        "job": asdict(one.job),
        "cluster": asdict(one.cluster),
        "assumed": {name: {"value": getattr(one.cluster, name), "source": why} for name, why in assumed.items()},
        "step_seconds_allowed": one.limits,
        "bottleneck": one.binding,
        "moved_by": {"setting": move.setting, "epoch_seconds": move.plan.epoch_seconds, "then": move.plan.binding},
        "step_seconds": one.step_seconds,
        "epoch_seconds": one.epoch_seconds,
        "clips_per_second": one.clips_per_second,
        "efficiency": one.efficiency,
        "cores_needed": cores_needed(one),
        "storage_bytes_per_second": storage_rate(one),
        "gradient_seconds": one.gradient_seconds,
        "memory_bytes": asdict(memory(one.job, one.cluster.gpus)),
        "failures": failures(one),
        "seconds": one.seconds,
        "gpu_hours": one.gpu_hours,
        "price": one.price,
        "simulated": asdict(went),
    }
