"""A teacher beside the network: what is compared, what is never touched, and who may teach whom."""

import copy
import dataclasses

import pytest
import torch
import torch.nn.functional as F
from taught import LABELS, clips, learn

from vidattn.training.distil import Distillation
from vidattn.training.lessons import TeachFeatures, TeachLogits
from vidattn.training.map_lesson import StepMaps, TeachMaps
from vidattn.training.objective import MultiLabel
from vidattn.training.rollout_lesson import Rollouts


def maps_of(network, video, steps=("time", "space")):
    """Weights by hand, mean over heads: of divided attention's two steps in every block, by the layers' own numbers."""
    found = []
    seen = {}
    hooks = [
        step.attn.qkv.register_forward_pre_hook(lambda layer, args: seen.setdefault(layer, args[0]))
        for block in network.blocks
        for step in block.steps
    ]
    hooks += [step.register_forward_pre_hook(lambda one, args: seen.setdefault(one, args)) for block in network.blocks
              for step in block.steps]  # fmt: skip
    with torch.no_grad():
        network(video)
    for hook in hooks:
        hook.remove()
    for block in network.blocks:
        time, space = block.steps
        x, grid = seen[time]
        rows = grid.split(x)[1].permute(0, 2, 3, 1, 4)  # (B, H, W, T, D)
        found.append(weights(time.attn, rows.flatten(1, 2)))
        x, grid = seen[space]
        prefix, tokens = grid.split(x)
        rows = torch.cat((prefix[:, None].expand(-1, grid.frames, -1, -1), tokens.flatten(2, 3)), 2)
        found.append(weights(space.attn, rows))
    return found


def weights(attention, rows):
    """`(B, F, n, D)` -> `(B, F, n, n)`."""
    q, k, _ = attention.qkv(rows).unflatten(-1, (3, attention.num_heads, -1)).unbind(-3)
    q, k = q.transpose(-3, -2), k.transpose(-3, -2)
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1).mean(-3).detach()


def test_the_loss_is_that_of_plain_formulas(taught_by):
    module = taught_by(lessons=(TeachLogits(0.5, 3.0), TeachMaps(2.0)), num_heads=4)
    parts, _ = learn(module)
    ours, theirs = (
        module.normalize(clips()),
        (clips() / 255 - module.teacher.normalize.mean) / module.teacher.normalize.std,
    )
    with torch.no_grad():
        right, wrong = module.teacher.network(theirs), module.network.eval()(ours)
    softened = (right / 3).softmax(1)
    logits = 9 * (softened * (softened.log() - (wrong / 3).log_softmax(1))).sum(1).mean()
    assert parts["logits"] == pytest.approx(logits.item(), rel=1e-4)
    assert parts["labels"] == pytest.approx(F.cross_entropy(wrong, LABELS).item(), rel=1e-5)
    pairs = zip(maps_of(module.teacher.network, theirs), maps_of(module.network, ours), strict=True)
    maps = torch.stack([(p * (p / q).log()).sum(-1).mean() for p, q in pairs]).mean()
    assert parts["maps"] == pytest.approx(maps.item(), rel=1e-4)
    assert parts["loss"] == pytest.approx(parts["labels"] + 0.5 * parts["logits"] + 2 * parts["maps"], rel=1e-5)


def test_an_equal_student_has_nothing_to_learn_from_maps_and_features(taught_by):
    module = taught_by(lessons=(TeachMaps(), TeachLogits(), TeachFeatures()), student={"embed_dim": 32})
    module.network.load_state_dict(module.teacher.network.state_dict())
    parts, gradients = learn(module)
    assert parts["maps"] == pytest.approx(0, abs=1e-6)
    assert parts["logits"] == pytest.approx(0, abs=1e-5)
    assert parts["features"] > 0.01  # the teacher's are normed
    assert all(gradient is not None for gradient in gradients.values())


def test_nothing_about_the_teacher_is_touched_trained_saved_or_copied(taught_by):
    module = taught_by(lessons=(TeachLogits(), TeachMaps(), TeachFeatures()), dropout=0.5)
    before = copy.deepcopy(module.teacher.network.state_dict())
    learn(module)
    torch.optim.SGD(module.configure_optimizers().param_groups[0]["params"], 0.1).step()
    network = module.teacher.network
    assert not network.training
    assert not any(part.training for part in network.modules())
    assert all(one.grad is None and not one.requires_grad for one in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert {name.split(".")[0] for name in module.state_dict()} == {"network", "comparisons"}
    assert [name for name in module.state_dict() if name.startswith("comparisons")] == [
        "comparisons.2.project.weight", "comparisons.2.project.bias",
    ]  # fmt: skip
    assert copy.deepcopy(module).teacher is module.teacher
    first, again = (module.taught(module.normalize(clips())).logits for _ in range(2))
    assert torch.equal(first, again)  # no dropout
    assert not any(network.get_submodule(name)._forward_hooks for name, _ in network.named_modules())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in module.network.modules())


@pytest.mark.parametrize(
    ("attention", "theirs", "student", "kind"),
    [
        ("divided", {"num_heads": 8, "depth": 5}, {}, StepMaps),
        ("divided", {"num_frames": 8, "image_size": 64}, {}, StepMaps),
        ("divided", {"patch_size": 16, "tubelet_size": 2, "pooling": "mean"}, {}, StepMaps),
        ("joint", {"pooling": "mean", "patch_size": 4}, {"num_frames": 2}, StepMaps),
        ("axial", {}, {"attention": "time+width+height", "patch_size": 16}, StepMaps),
        ("space", {"patch_size": 16}, {"attention": "divided"}, StepMaps),
        ("divided", {}, {"attention": "space+temporal", "pooling": "mean"}, StepMaps),
        ("joint", {"tubelet_size": 2}, {"attention": "divided"}, Rollouts),
        ("space>time(2)", {}, {"attention": "joint", "pooling": "attentive"}, Rollouts),
        ("window(2,2,2)", {"pooling": "mean"}, {"attention": "trajectory", "patch_size": 16}, Rollouts),
    ],
)  # fmt: skip
def test_any_network_teaches_any_other(taught_by, attention, theirs, student, kind):
    module = taught_by(attention, (TeachMaps(), TeachFeatures()), {"depth": 3} | student, **theirs)
    assert type(module.comparisons[0]) is kind
    frames = module.config.num_frames
    parts, gradients = learn(module, clips(frames=frames))
    assert 0 < parts["maps"] < 5
    assert parts["features"] > 0
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    for parameter in module.parameters():
        parameter.grad = None
    module.label_weight = 0.0
    module.lessons[1] = TeachFeatures(1e-12)
    _, gradients = learn(module, clips(frames=frames))
    found = [name for name, gradient in gradients.items() if "qkv.weight" in name and gradient.abs().max() > 1e-7]
    assert found  # by the maps alone


@pytest.mark.parametrize("attention", ["divided", "joint"])
def test_recomputed_blocks_learn_the_same(taught_by, attention):
    kept, again = (
        learn(taught_by(attention, student={"gradient_checkpointing": recomputed, "drop_path": 0.3}))
        for recomputed in (False, True)
    )
    assert kept[0] == pytest.approx(again[0])
    for name, gradient in kept[1].items():
        torch.testing.assert_close(again[1][name], gradient, msg=name)


@pytest.mark.parametrize(
    ("attention", "settings", "student", "message"),
    [
        ("divided", {}, {"num_classes": 3}, "has 5 classes and the student 3; take a teacher of the same classes"),
        ("divided", {"head": False}, {}, "has no trained head, so that its answers are random"),
        ("divided", {}, {"num_frames": 6}, r"sees 4 frames and the student 6, .*num_frames=4 or 8"),
        ("divided", {}, {"image_size": (32, 16)}, r"sees pictures of 32x32 and the student of 32x16"),
        ("time+squeeze_excite", {"pooling": "mean"}, {"attention": "joint"}, "be followed through SqueezeExcite"),
        ("joint", {}, {"gradient_checkpointing": True, "attention": "divided"}, "gradient_checkpointing to false"),
        ("divided", {"lessons": (TeachMaps(steps=("joint",)),)}, {}, "have no such step in common there"),
        ("divided", {"lessons": (TeachMaps(blocks=(2,)),)}, {}, "the network has 2 blocks, 0 to 1; there is no 2"),
        ("divided", {"lessons": (TeachMaps(steps=("tame",)),)}, {}, "unknown step 'tame'; did you mean 'time'"),
        ("divided", {"lessons": ()}, {}, "lessons is empty"),
        ("divided", {"lessons": (TeachMaps(), TeachMaps(2.0))}, {}, "each kind once"),
    ],
)  # fmt: skip
def test_who_cannot_teach_is_refused_with_the_way_out(taught_by, attention, settings, student, message):
    with pytest.raises(ValueError, match=message):
        taught_by(attention, student=student, **settings)


def test_what_is_out_of_range_is_refused(taught_by):
    module = taught_by()
    for settings, message in [
        ({"objective": MultiLabel()}, "TeachLogits is for one label a video"),
        ({"label_weight": -1.0}, "label_weight=-1.0 must be 0 or more"),
    ]:
        with pytest.raises(ValueError, match=message):
            Distillation(module.config, module.teacher.source, **settings)
    with pytest.raises(ValueError, match=r"weight=0\.0 must be more than 0"):
        TeachMaps(weight=0.0)
    with pytest.raises(ValueError, match="queries=0 must be at least 1"):
        TeachMaps(queries=0)
    assert dataclasses.is_dataclass(TeachLogits)
