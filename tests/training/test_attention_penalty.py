"""Penalties on attention: the step that is made is that of the plain formula, however the training is run."""

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from golden import drawn
from in_memory import fitted
from small_networks import SIZES
from tiny_run import column, config, write_config

from vidattn.cli import main
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.recorder import Recording
from vidattn.training.attention_measures import DistanceFromUniform, GateSize, MissingEntropy
from vidattn.training.attention_penalty import AttentionPenalty
from vidattn.training.schedule import Steps
from vidattn.training.video_classifier import VideoClassifier

CLIPS = (drawn("penalty", torch.Size((4, 3, 4, 32, 32))) * 60 + 128).clamp(0, 255).to(torch.uint8)
LABELS = torch.tensor([0, 1, 2, 3])


def task(attention="divided", **changes):
    torch.manual_seed(0)
    network = VideoTransformerConfig(**(SIZES | {"attention": attention, "init_std": 0.3} | changes))
    return VideoClassifier(network, optimizer=lambda groups: torch.optim.SGD(groups, lr=0.1))


def by_formula(module, penalty):
    """Weights after a step of SGD on `cross-entropy + penalty(all attention weights)`, and the penalty."""
    steps = [step for block in module.network.all_blocks() for step in block.steps]
    with Recording(steps, memory_limit=2**30) as recording:
        loss = F.cross_entropy(module.network(module.normalize(CLIPS)), LABELS)
    value = penalty([visit.weights for visit in recording.visits.values()])
    names, parameters = zip(*module.network.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss + value, parameters)
    return {name: one - 0.1 * by for name, one, by in zip(names, parameters, gradients, strict=True)}, value


def check_step(made, wanted, within=1e-5):
    state = made.network.state_dict()
    for name, value in wanted.items():
        torch.testing.assert_close(state[name], value.detach(), atol=within, rtol=within, msg=name)


def uneven(weights):
    return torch.stack([(one - 1 / one.shape[-1]).abs().sum(-1).mean() for found in weights for one in found]).mean()


def one_sided(weights):
    return torch.stack(
        [(one * (one * one.shape[-1]).log()).sum(-1).mean() for found in weights for one in found]
    ).mean()


MEASURES = [(DistanceFromUniform(), uneven), (MissingEntropy(), one_sided)]


@pytest.mark.parametrize("attention", ["divided", "joint", "window(2,2,2)"])
@pytest.mark.parametrize(("measure", "plain"), MEASURES)
def test_the_step_is_that_of_the_plain_formula(attention, measure, plain):
    wanted, value = by_formula(task(attention), lambda weights: 3 * plain(weights))
    alone, _ = by_formula(task(attention), lambda weights: torch.zeros(()))
    made, logged = fitted(task(attention), CLIPS, LABELS, [AttentionPenalty(measure, 3.0, queries=None)])
    check_step(made, wanted)
    assert logged[f"train/{measure.name}"] == pytest.approx(value.item() / 3, rel=1e-4)
    far = max((wanted[name] - alone[name]).abs().max() for name in wanted)
    assert far > 1e-3


@pytest.mark.parametrize(
    ("network", "trainer", "within"),
    [
        ({"gradient_checkpointing": True}, {}, 1e-5),
        ({}, {"accumulate_grad_batches": 2}, 1e-5),
        ({"gradient_checkpointing": True}, {"precision": "bf16-mixed"}, 3e-2),
    ],
    ids=["recomputed", "accumulated", "bf16"],
)
def test_it_goes_with_what_people_switch_on(network, trainer, within):
    wanted, _ = by_formula(task(), lambda weights: 3 * uneven(weights))
    penalty = AttentionPenalty(DistanceFromUniform(), 3.0, queries=None)
    size = 2 if "accumulate_grad_batches" in trainer else 4
    made, _ = fitted(task(**network), CLIPS, LABELS, [penalty], size=size, **trainer)
    check_step(made, wanted, within)
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in made.modules())


def test_steps_blocks_and_schedule_are_chosen():
    wanted, _ = by_formula(task(), lambda weights: 0.5 * one_sided([weights[2]]))  # time, then space, of two blocks
    penalty = AttentionPenalty(MissingEntropy(), 5.0, Steps((0,), 0.1), ["time"], [-1], queries=None)
    made, _ = fitted(task(), CLIPS, LABELS, [penalty])
    check_step(made, wanted)


def test_a_few_rows_are_those_of_the_whole_and_leave_the_kernel():
    """Of 65 tokens the rows 0, 13, 26, 39 and 52 in the first step."""
    wanted, _ = by_formula(task("joint"), lambda w: 2 * uneven([[one[..., ::13, :] for one in rows] for rows in w]))
    made, _ = fitted(task("joint"), CLIPS, LABELS, [AttentionPenalty(DistanceFromUniform(), 2.0, queries=5)])
    check_step(made, wanted)


@pytest.mark.parametrize("block", ["squeeze_excite", "cbam"])
def test_gates_are_closed_by_their_plain_size(block):
    found = []
    plain, pressed = task(f"space+{block}"), task(f"space+{block}")
    real = torch.sigmoid
    hooks = [
        one.register_forward_hook(lambda *call: found.append(call[2])) for one in plain.modules()
        if isinstance(one, torch.nn.Sigmoid)
    ]  # fmt: skip
    _, logged = fitted(pressed, CLIPS, LABELS, [AttentionPenalty(GateSize(), 100.0)])
    assert 0 < logged["train/gate_size"] < 1
    if block == "squeeze_excite":
        plain.train()(CLIPS)
        assert logged["train/gate_size"] == pytest.approx(torch.stack(found).mean().item(), rel=1e-4)
    for hook in hooks:
        hook.remove()
    gates = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "sigmoid", lambda x: gates.append(real(x)) or gates[-1])
        for module in (plain, pressed):
            module.network.train()(module.normalize(CLIPS))
    half = len(gates) // 2
    before, after = (torch.stack([gate.mean() for gate in part]).mean() for part in (gates[:half], gates[half:]))
    assert after < before


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        ({"measure": GateSize()}, "GateSize finds nothing to measure"),
        ({"measure": MissingEntropy(), "steps": ["joint"]}, "no block of attention='divided' has such a step"),
        ({"measure": MissingEntropy(), "blocks": [5]}, "the network has 2 blocks, 0 to 1; there is no 5"),
    ],
)
def test_what_is_not_there_is_not_penalised(penalty, message):
    with pytest.raises(ValueError, match=message):
        fitted(task(), CLIPS, LABELS, [AttentionPenalty(**penalty)])


def test_numbers_out_of_range_and_compiled_networks_are_refused():
    with pytest.raises(ValueError, match=r"weight=0\.0 must be more than 0"):
        AttentionPenalty(MissingEntropy(), 0.0)
    with pytest.raises(ValueError, match="queries=0 must be at least 1"):
        AttentionPenalty(MissingEntropy(), queries=0)
    module = task()
    module.network._compiled_call_impl = module.network.forward  # as `compile` leaves it, without its seconds
    with pytest.raises(ValueError, match="AttentionPenalty looks into the network while it runs"):
        AttentionPenalty(MissingEntropy()).setup(pl.Trainer(logger=False), module, "fit")


def penalised(tiny_set, folder, processes):
    values = config(tiny_set, folder)
    values["trainer"] |= {"devices": processes, "strategy": "ddp" if processes > 1 else "auto", "callbacks": [
        {"class_path": "vidattn.training.AttentionPenalty", "init_args": {
            "measure": {"class_path": "vidattn.training.MissingEntropy"}, "weight": 0.5, "queries": 3,
            "schedule": {"class_path": "vidattn.training.WarmupCosine", "init_args": {"warmup_epochs": 1}}}},
        {"class_path": "vidattn.training.ProgressiveAttention", "init_args": {"epochs": 1.5}},
    ]}  # fmt: skip
    values["model"]["network"] |= {"init_std": 0.2, "gradient_checkpointing": True}
    values["data"] |= {"batch_size": 4 // processes}
    return write_config(folder / "config.yaml", values)


@pytest.mark.usefixtures("one_thread")
def test_two_processes_and_a_resumed_run_end_as_one_does_also_with_attention_that_comes_in(tiny_set, tmp_path, pair):
    """Both callbacks, from YAML."""
    words = ["--test_after_fit", "false", "--last_checkpoint.filename", "{epoch}", "--last_checkpoint.save_top_k", "-1"]
    one, two = tmp_path / "one", tmp_path / "two"
    main(["fit", "--config", str(penalised(tiny_set, one, 1)), *words])
    pair.run("fit", "--config", penalised(tiny_set, two, 2), *words)
    first = one / "run_0" / "checkpoints" / "epoch=0.ckpt"
    main(["fit", "--config", str(one / "config.yaml"), "--ckpt_path", str(first), *words])

    states = [
        torch.load(run / "checkpoints" / "epoch=1.ckpt", weights_only=True)["state_dict"]
        for run in (one / "run_0", one / "run_1", two / "run_0")
    ]
    for name, weights in states[0].items():
        torch.testing.assert_close(states[1][name], weights, atol=0, rtol=0, msg=name)
        torch.testing.assert_close(states[2][name], weights, atol=1e-3, rtol=0, msg=name)
    values = column(one / "run_0", "train/missing_entropy")
    assert values == pytest.approx(column(two / "run_0", "train/missing_entropy"), rel=1e-3)
