import math

import numpy as np
import pytest

from vidattn.planning.closed_form import plan
from vidattn.planning.cluster import Cluster
from vidattn.planning.failures import Failures
from vidattn.planning.job import Cost, Job
from vidattn.planning.loader_queue import LoaderQueues
from vidattn.planning.simulation import simulate
from vidattn.planning.stragglers import Stragglers

COST = Cost("timesformer", "8 x 224 x 224", 195_830_280_192, 121_566_352, 121_566_352, 700 << 20)


@pytest.mark.parametrize(("arrivals", "depth"), [(1.0, 1), (0.8, 3), (1.5, 6)])
def test_one_maker_and_one_taker_are_an_m_m_1_k_queue(arrivals, depth):
    rng, steps = np.random.default_rng(0), 200_000
    ran = LoaderQueues(1, depth).run(rng.exponential(1 / arrivals, (1, steps)), rng.exponential(1, steps))
    places = depth + 1  # those of the queue, and the one that is being trained on
    chances = np.array([arrivals**n for n in range(places + 1)])  # Gross and Harris, Queueing Theory, section 2.5
    assert steps / ran.ends[-1] == pytest.approx(1 - chances[0] / chances.sum(), rel=0.01)


def test_queues_run_on_as_if_never_cut():
    rng = np.random.default_rng(0)
    making, training = rng.exponential(1, (3, 50)), rng.exponential(2, 50)
    ready, starts, end = np.zeros(3), [], 0.0
    for i in range(50):
        ready = np.maximum(ready, starts[i - 4] if i >= 4 else 0) + making[:, i]
        starts.append(max(ready.max(), end))
        end = starts[-1] + training[i]
    queues = LoaderQueues(3, 4)
    for cut in np.split(np.arange(50), [8, 24, 29]):
        ran = queues.run(making[:, cut], training[cut])
    assert ran.ends[-1] == pytest.approx(end)


def test_the_slowest_is_that_of_single_draws():
    stragglers, rng = Stragglers(0.3), np.random.default_rng(0)
    each = stragglers.draw(rng, (20_000, 64))
    assert each.mean() == pytest.approx(1, rel=0.01)
    assert each.std() == pytest.approx(0.3, rel=0.02)
    assert stragglers.slowest(64) == pytest.approx(each.max(1).mean(), rel=0.01)
    assert stragglers.draw_slowest(rng, 64, 20_000).mean() == pytest.approx(stragglers.slowest(64), rel=0.01)
    assert Stragglers(0).slowest(1000) == pytest.approx(1)


def test_failures_cost_on_average_what_the_closed_form_says():
    failures, rng = Failures(100.0, 7.0, 20.0), np.random.default_rng(0)
    mean = np.mean([failures.simulate(1000, rng).seconds for _ in range(1000)])
    assert mean == pytest.approx(failures.expected(1000), rel=0.02)
    assert Failures(math.inf, 7.0, 20.0).expected(1000) == 1000
    assert Failures(1e12, 7.0, 20.0).expected(1000) == pytest.approx(1000)


@pytest.mark.parametrize("cores", [20, 112, 1000])
def test_it_agrees_with_the_closed_form(cores):
    one = plan(Job(COST, 10_000_000, 10, 15), Cluster(64, cores_per_node=cores, storage_gbps=1e4))
    went = simulate(one)
    assert went.epoch_seconds == pytest.approx(one.epoch_seconds, rel=0.02)
    assert simulate(one) == went
