from dataclasses import replace

import pytest

from vidattn.planning.closed_form import all_reduce_seconds, moved, plan
from vidattn.planning.cluster import Cluster
from vidattn.planning.job import Cost, Job
from vidattn.planning.memory import largest_batch, memory

COST = Cost("timesformer", "8 x 224 x 224", 195_830_280_192, 121_566_352, 121_566_352, 700 << 20)
JOB = Job(COST, videos=240_000, seconds=10, epochs=15)


def test_published_hours_come_out_at_the_share_of_the_peak_that_is_said():
    v100 = Cluster(32, gpu_tflops=15.7, mfu=0.18, spread=0, storage_gbps=1e6, network_gbps=1e6, link_gbps=1e6)
    assert plan(JOB, v100).gpu_hours == pytest.approx(416, rel=0.02)  # arXiv 2102.05095, table 2


def test_a_ring_of_two_carries_the_gradients_once():
    assert all_reduce_seconds(1e9, Cluster(1)) == 0
    assert all_reduce_seconds(1e9, Cluster(2, link_gbps=8)) == pytest.approx(1)
    assert all_reduce_seconds(1e9, Cluster(16, link_gbps=80, network_gbps=8)) == pytest.approx(2 * 15 / 16)


@pytest.mark.parametrize(
    ("binding", "setting"),
    [("decode", {"cores_per_node": 8}), ("storage", {"storage_gbps": 8}), ("network", {"network_gbps": 1})],
)
def test_what_is_scarce_binds_and_more_of_it_moves_it(binding, setting):
    rich = Cluster(64, storage_gbps=1e4, cores_per_node=1000)
    assert plan(JOB, rich).binding == "gpu"
    one = plan(JOB, replace(rich, **setting))
    assert one.binding == binding
    move = moved(one)
    assert move.plan.binding != binding
    assert move.plan.epoch_seconds < one.epoch_seconds


def test_memory_of_adamw_in_mixed_precision_is_sixteen_bytes_a_number_and_copies():
    used = memory(JOB, gpus=1)
    assert used.weights + used.gradients + used.optimizer == 16 * COST.parameters
    assert used.buckets == 0 < memory(JOB, gpus=2).buckets
    most = largest_batch(JOB, 80)
    assert memory(replace(JOB, batch=most), 2).total <= 72e9 < memory(replace(JOB, batch=most + 1), 2).total


@pytest.mark.parametrize("wrong", [{"gpus": 0}, {"mfu": 1.5}, {"storage_gbps": 0}, {"spread": -1}, {"node_hours": -1}])
def test_machines_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Cluster(**{"gpus": 8, **wrong})
