"""Rollout through whole networks: equal to products of matrices, for every scheme and read-out."""

import itertools

import pytest
import torch
from checkpoints.sources.test_huggingface import vivit
from staged import CLIP, random_staged
from test_parity import random_pair

from vidattn.checkpoints.loading import load
from vidattn.explain.rollout import gradient_rollout, rollout
from vidattn.explain.spread import spread
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import build_network

SMALL = {"num_classes": 5, "num_frames": 3, "image_size": 16, "patch_size": 8, "embed_dim": 32, "num_heads": 4}
SCHEMES = ["joint", "divided", "axial", "local+global", "space+temporal", "space|time", "time+window(2,2,2)"]
SCHEMES += ["neighborhood(3,1,1)", "pooled(1,2,2)", "linear", "trajectory", "space", "space>time(2)", "time+cbam"]
schemes = pytest.mark.parametrize("attention", SCHEMES)


def network(attention, seed=0, **changes):
    torch.manual_seed(seed)
    net = build_network(VideoTransformerConfig(**(SMALL | {"attention": attention, "depth": 2} | changes))).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net


def by_frame_then_place(tokens, frames):
    """HF's token order, time fastest, as ours; without the class token."""
    return tokens[:, 1:].unflatten(1, (-1, frames)).transpose(1, 2)


def test_joint_attention_gives_plain_rollout_of_the_reference():
    ours, theirs = random_pair("joint", frames=4, size=48, heads=3)
    theirs.model.set_attn_implementation("eager")
    video = torch.randn(2, 3, 4, 48, 48)
    with torch.no_grad():
        attentions = theirs.model(video.transpose(1, 2), output_attentions=True).attentions
    rows = torch.eye(attentions[0].shape[-1]).expand(2, -1, -1)
    for weights in attentions:
        rows = (0.5 * weights.mean(1) + 0.5 * torch.eye(weights.shape[-1])) @ rows
    result = rollout(ours, video)
    torch.testing.assert_close(result.prefix, rows[:, 0, 0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(result.video.flatten(2), by_frame_then_place(rows[:, 0], 4), rtol=1e-3, atol=1e-6)


def test_tubelets_give_plain_rollout_of_vivit(tmp_path):
    theirs = vivit()
    theirs.save_pretrained(tmp_path)
    theirs.set_attn_implementation("eager")
    ours, video = load(tmp_path).network, torch.randn(2, 3, 8, 32, 32)
    with torch.no_grad():
        attentions = theirs(video.transpose(1, 2), output_attentions=True).attentions
    rows = torch.eye(attentions[0].shape[-1])
    for weights in attentions:
        rows = (0.5 * weights.mean(1) + 0.5 * torch.eye(weights.shape[-1])) @ rows
    result = rollout(ours, video)
    assert result.video.shape == (2, 4, 4, 4)
    torch.testing.assert_close(result.prefix, rows[:, 0, 0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(result.video.flatten(1), rows[:, 0, 1:], rtol=1e-3, atol=1e-6)


def test_joint_attention_gives_the_gradient_rollout_of_the_reference():
    ours, theirs = random_pair("joint", frames=4, size=48, heads=3)
    theirs.model.set_attn_implementation("eager")
    video = torch.randn(2, 3, 4, 48, 48)
    output = theirs.model(video.transpose(1, 2), output_attentions=True)
    gradients = torch.autograd.grad(output.logits[:, 2].sum(), output.attentions)
    rows = torch.eye(gradients[0].shape[-1]).expand(2, -1, -1)
    for weights, gradient in zip(output.attentions, gradients, strict=True):
        rows = rows + (weights * gradient).clamp(min=0).mean(1) @ rows
    rows = rows[:, 0] - torch.eye(rows.shape[-1])[0]
    expected = rows / rows.sum(-1, keepdim=True)
    result = gradient_rollout(ours, video, class_index=2)
    torch.testing.assert_close(result.video.flatten(2), by_frame_then_place(expected, 4), rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("pooling", ["class_token", "registers", "mean", "attentive"])
@pytest.mark.parametrize("attention", SCHEMES[:11])
def test_equals_the_product_of_the_steps_matrices(attention, pooling):
    net, video = network(attention, pooling=pooling), torch.randn(1, 3, 3, 16, 16)
    seen = []
    for block in net.blocks:
        for step in block.steps:
            step.register_forward_pre_hook(lambda step, args: seen.append((step, args)))
    with torch.no_grad():
        x, grid = net.embed(net.patch(video), net.config.grid(*video.shape[2:]))
        for block in net.blocks:
            x = block(x, grid)
        rows = {
            "mean": torch.full((grid.num_tokens,), 1 / grid.num_tokens),
            "attentive": attentive_rows(net.readout, x) if pooling == "attentive" else None,
        }.get(pooling, torch.eye(grid.num_tokens)[0])
    for step, (tokens, grid) in list(reversed(seen)):
        factor = torch.eye(grid.num_tokens) + spread(step, tokens, grid)[0]
        rows = rows @ (factor / factor.sum(-1, keepdim=True))
    result = rollout(net, video)
    torch.testing.assert_close(result.video.flatten(), rows[grid.prefix :], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(result.prefix[0], rows[: grid.prefix].sum(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("follow", [rollout, gradient_rollout])
def test_the_blocks_of_a_read_out_are_followed_as_those_of_the_network(follow):
    """A network whose last blocks are the read-out's: the map goes through all of them."""
    net, video = network("joint", pooling="attentive_probe"), torch.randn(1, 3, 3, 16, 16)
    for parameter in net.readout.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    result = follow(net, video)
    assert result.notes == ()
    if follow is gradient_rollout:
        assert (result.video >= 0).all()
        assert result.video.std() > 0
        return
    x, grid = net.embed(net.patch(video), net.config.grid(*video.shape[2:]))
    factors = []
    for block in [*net.blocks, *net.readout.self_attention]:
        if block is net.readout.self_attention[0]:
            x = net.norm(x)
        factors.append((torch.eye(grid.num_tokens) + spread(block.steps[0], block.norms[0](x), grid)[0]) / 2)
        x = block(x, grid)
    readout = net.readout
    keys = readout.kv(readout.norm(x))[0, :, : readout.dim]
    heads = torch.stack((readout.q(readout.query)[0].expand_as(keys), keys)).unflatten(-1, (readout.num_heads, -1))
    rows = ((heads[0] * heads[1]).sum(-1) / heads.shape[-1] ** 0.5).softmax(0).mean(-1)
    for factor in reversed(factors):
        rows = rows @ factor
    torch.testing.assert_close(result.video.flatten(), rows, rtol=1e-3, atol=1e-6)


def attentive_rows(readout, x):
    """The weights of the learned query, head by head."""
    keys = (readout.norm(x) @ readout.kv.weight.T + readout.kv.bias)[0, :, : readout.dim]
    width = readout.dim // readout.num_heads
    heads = [slice(head * width, (head + 1) * width) for head in range(readout.num_heads)]
    return sum((keys[:, part] @ readout.query[0, 0, part] / width**0.5).softmax(0) for part in heads) / len(heads)


@schemes
@pytest.mark.parametrize("follow", [rollout, gradient_rollout])
def test_a_clip_has_the_map_that_it_has_alone_and_other_weights_give_another(attention, follow):
    video = torch.randn(2, 3, 3, 16, 16)
    net = network(attention, pooling="attentive")
    both, alone = follow(net, video), follow(net, video[1:])
    assert both.video.shape == (2, 3, 2, 2)
    torch.testing.assert_close(both.video[1:], alone.video, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(both.logits, net(video).detach())
    torch.testing.assert_close(both.video.sum((1, 2, 3)) + both.prefix, torch.ones(2))
    assert (follow(network(attention, seed=1, pooling="attentive"), video).video - both.video).abs().max() > 1e-3


def test_space_only_gives_every_frame_the_same_share():
    result = rollout(network("space", pooling="mean"), torch.randn(1, 3, 3, 16, 16))
    torch.testing.assert_close(result.video.sum((2, 3)), torch.full((1, 3), 1 / 3))


def test_the_factorised_encoder_sees_in_a_frame_what_its_image_encoder_sees():
    """Frames' shares depend on the temporal blocks; the shares within a frame do not."""
    net, video = network("space>time(2)"), torch.randn(1, 3, 3, 16, 16)
    within = rollout(net, video).video
    within = within / within.sum((2, 3), keepdim=True)
    for block in net.temporal.blocks:
        torch.nn.init.normal_(block.steps[0].attn.qkv.weight, std=1.0)
    after = rollout(net, video).video
    assert (after.sum((2, 3)) - after.sum((2, 3)).mean()).abs().max() > 1e-3
    torch.testing.assert_close(after / after.sum((2, 3), keepdim=True), within)


def test_a_gradient_map_speaks_for_its_class():
    net, video = network("divided"), torch.randn(1, 3, 3, 16, 16)
    one, other = (gradient_rollout(net, video, class_index).video for class_index in (0, 1))
    assert (one / one.sum() - other / other.sum()).abs().max() > 0.01


def test_image_blocks_are_measured_and_said_so():
    assert rollout(network("joint"), torch.randn(1, 3, 3, 16, 16)).notes == ()
    notes = rollout(network("time+cbam", pooling="mean"), torch.randn(1, 3, 3, 16, 16)).notes
    assert notes[0] == "block 1: CBAM mixes by no attention weights; measured by nudging tokens"
    assert len(notes) == 2


def test_training_mode_and_parameters_stay():
    net = network("divided").train()
    gradient_rollout(net, torch.randn(1, 3, 3, 16, 16))
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_too_many_tokens_are_refused_before_memory_is_gone():
    with pytest.raises(
        MemoryError, match=r"JointAttention over 13 tokens .* above memory_limit=0.0 GiB; explain fewer"
    ):
        rollout(network("joint"), torch.randn(1, 3, 3, 16, 16), memory_limit=1000)


def test_another_kind_of_network_is_named():
    with pytest.raises(TypeError, match=r"Linear cannot be explained; wanted a network of vidattn.build_network"):
        rollout(torch.nn.Linear(3, 3), torch.randn(1, 3, 3, 16, 16))


def pooling_matrix(grid, kernel, stride, padding):
    """Each pooled token's shares of those in its box, alike, by loops; prefix tokens as they are."""
    sides = grid.sides()
    after = [-(-length // step) for length, step in zip(sides, stride, strict=True)]
    places = list(itertools.product(*map(range, sides)))
    rows = []
    for at in itertools.product(*map(range, after)):
        starts = [a * step - pad for a, step, pad in zip(at, stride, padding, strict=True)]
        inside = [all(s <= x < s + k for x, s, k in zip(place, starts, kernel, strict=True)) for place in places]
        rows.append(torch.tensor(inside, dtype=torch.float32) / sum(inside))
    return torch.block_diag(torch.eye(grid.prefix), torch.stack(rows))


BOXES = {
    "swin": ((1, 2, 2), (1, 2, 2), (0, 0, 0)),
    "mvit": ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    "hiera": ((1, 2, 2), (1, 2, 2), (0, 0, 0)),
    "pvt": ((1, 2, 2), (1, 2, 2), (0, 0, 0)),
}


@pytest.mark.parametrize("name", BOXES)
def test_through_stages_shares_are_products_of_the_matrices_of_all_steps(name):
    network = random_staged(name)
    size = (3, 32, 48) if name == "hiera" else (3, 20, 36)  # odd maps where they are allowed
    clips, grid = torch.randn(1, 3, *size), network.config.grid(*size)
    entered = {}
    hooks = [step.register_forward_pre_hook(lambda step, args: entered.update({step: args}))
             for block in network.all_blocks() for step in block.steps]  # fmt: skip
    with torch.no_grad():
        network(clips)
    for hook in hooks:
        hook.remove()
    shares = torch.eye(grid.num_tokens)
    for stage in network.layout(*size):
        if stage.passage is not None and not isinstance(stage.passage, torch.nn.Identity):
            shares = pooling_matrix(grid, *BOXES[name]) @ shares
            joining = stage.grid.num_tokens - len(shares)  # PVT's class token, which comes from no token
            shares = torch.cat((torch.zeros(joining, shares.shape[1]), shares))
        for block, grid in stage.each():
            opens = block.grid_after(grid) != grid
            kept = pooling_matrix(grid, *BOXES[name]) if opens else torch.eye(grid.num_tokens)
            factor = kept + spread(block.steps[0], *entered[block.steps[0]])[0]
            shares = factor / factor.sum(-1, keepdim=True) @ shares
        grid = stage.grids()[-1]
    read = shares[0] if grid.prefix else shares.mean(0)

    found = rollout(network, clips)

    first = network.config.grid(*size)
    wanted = read[first.prefix :].view(first.sides())
    torch.testing.assert_close(found.video[0], wanted / read.sum())
    torch.testing.assert_close(found.prefix[0], read[: first.prefix].sum() / read.sum())
    assert (found.notes == ()) == (name != "pvt")  # on reduced maps shares are measured by nudging
    speaks = gradient_rollout(network, clips)
    torch.testing.assert_close(speaks.video.sum() + speaks.prefix[0], torch.tensor(1.0))
    assert (speaks.video > 0).any()


def test_where_means_and_convolutions_halve_the_map_nothing_is_said():
    network = random_staged("coatnet")
    with pytest.raises(TypeError, match="stage 0 halves the map by means and convolutions beside its attention"):
        rollout(network, torch.randn(1, 3, *CLIP))
