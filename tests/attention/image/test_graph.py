import pytest
import torch
import torch.nn.functional as F

from vidattn.attention.image.graph import GraphAttention, nearest_points


def build(**arguments) -> GraphAttention:
    torch.manual_seed(0)
    block = GraphAttention(12, **arguments).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return block


@pytest.mark.parametrize("num_heads", [1, 3])
def test_is_a_loop_over_the_nearest_neighbours(num_heads):
    block = build(num_neighbors=5, num_heads=num_heads)
    x = torch.randn(2, 12, 4, 5, dtype=torch.float64, requires_grad=True)
    slopes = torch.randn_like(x)
    expected = torch.empty(2, 12, 20, dtype=torch.float64)
    for image, pixels in enumerate(x.flatten(2).mT):
        projected = (pixels @ block.project.weight.T).view(20, num_heads, -1)
        for i in range(20):
            neighbors = sorted(range(20), key=lambda j: (pixels[i] - pixels[j]).norm().item())[:5]
            assert i in neighbors
            heads = []
            for head in range(num_heads):
                edges = [torch.cat((projected[i, head], projected[j, head])) for j in neighbors]
                scores = F.leaky_relu(torch.stack(edges) @ block.score[:, head].flatten(), 0.2)
                heads.append(scores.softmax(0) @ projected[neighbors, head])
            expected[image, :, i] = torch.cat(heads)
    expected = expected.view(x.shape)

    torch.testing.assert_close(block(x), expected)
    (slope,) = torch.autograd.grad((block(x) * slopes).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad((expected * slopes).sum(), x)[0])


def test_a_small_nudge_reaches_those_that_have_the_pixel_as_neighbour():
    block = build(num_neighbors=4)
    x = torch.randn(1, 12, 5, 6, dtype=torch.float64)
    graph = nearest_points(x.flatten(2).mT, 4)
    nudged = x.clone()
    nudged[0, :, 2, 3] += 1e-4 * torch.randn(12)
    assert torch.equal(nearest_points(nudged.flatten(2).mT, 4), graph)

    moved = (block(nudged) - block(x)).abs().amax(1).flatten() > 1e-9

    assert torch.equal(moved, (graph[0] == 2 * 6 + 3).any(-1))
    assert 1 <= moved.sum() < 30


def test_neighbours_are_found_across_blocks_of_rows():
    torch.manual_seed(0)
    points = torch.randn(2, 1500, 3, dtype=torch.float64)
    expected = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").topk(6, largest=False)
    assert torch.equal(nearest_points(points, 6), expected.indices)


def test_far_from_the_origin_fp32_still_tells_neighbours_apart():
    torch.manual_seed(0)
    points = torch.randn(1, 100, 3) + 1024
    assert torch.equal(nearest_points(points, 4), nearest_points(points.double(), 4))


def test_autocast_does_not_blur_the_neighbours():
    torch.manual_seed(0)
    points = torch.randn(1, 200, 8) + 3
    exact = nearest_points(points, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(nearest_points(points, 4), exact)


def test_has_the_papers_parameters_and_counts_the_distances():
    block = GraphAttention(768, num_neighbors=9)
    assert sum(parameter.numel() for parameter in block.parameters()) == 768 * 768 + 2 * 768
    assert block.macs(14, 14).total == 196 * 768 * (768 + 2 + 196 + 9)


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="num_neighbors=0 must be at least 1"):
        GraphAttention(32, num_neighbors=0)
    with pytest.raises(ValueError, match="dim=32 is not a multiple of num_heads=3"):
        GraphAttention(32, num_heads=3)
