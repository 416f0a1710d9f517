"""What is said to be looked at is what the cross-attention took: its output is made of nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from untrained_detector import untrained, write_untrained

from vidattn import Detector
from vidattn.explain.query_looks import Points, Weights, on_frames, seen, watch_queries
from vidattn.mistakes import Mistake
from vidattn.models import Queries
from vidattn.models.cross_attention import CrossAttention
from vidattn.models.query_decoder import DeformableCross, DenseCross

VIDEO = np.random.default_rng(0).integers(0, 255, (11, 32, 48, 3), dtype=np.uint8)
CLIP = torch.from_numpy(VIDEO[:4, :, :32]).permute(3, 0, 1, 2)[None]


def watched(cross, heads, layer=-1):
    """What a decoder's queries looked at in a clip, and inputs and output of the attention that looked."""
    torch.manual_seed(1)
    task = untrained()
    decoder = Queries(4, 2, 16, 2, heads, cross=cross).build(16, 3).eval()
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    calls = []
    hook = decoder.layers[layer].cross.register_forward_hook(lambda module, *call: calls.append((module, *call)))
    with torch.no_grad():
        features = task.network.features(task.normalize(CLIP), normalized=True)
        found, said = watch_queries(decoder, features, 4, layer)
    hook.remove()
    assert found.boxes.shape == (2, 1, 4, 2, 4)
    return said, *calls[0]


@torch.no_grad()
@pytest.mark.parametrize("layer", [0, -1])
def test_points_and_weights_are_all_that_deformable_attention_takes(layer):
    said, cross, (_, _, _, tokens), out = watched(DeformableCross(3), 2, layer)
    assert isinstance(said, Points)
    assert said.places.shape == (1, 4, 2 * 2 * 3, 3)
    torch.testing.assert_close(said.weights.sum(-1), torch.ones(1, 4))

    values = cross.value(tokens)[0].permute(3, 0, 1, 2)[None]  # (1, D, T, h, w)
    for query in range(4):
        taken = F.grid_sample(values, 2 * said.places[0, query][None, None, None] - 1, align_corners=False)
        taken = taken[0, :, 0, 0] * said.weights[0, query] * cross.num_heads  # (D, heads K P)
        each = taken.unflatten(1, (2, -1)).sum(-1)  # of all heads; each has its own half of the width
        mixed = torch.cat((each[:8, 0], each[8:, 1]))
        torch.testing.assert_close(cross.proj(mixed), out[0, query], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_weights_of_tokens_are_all_that_dense_attention_takes():
    said, cross, (_, _, _, tokens), out = watched(DenseCross(), 1)
    assert isinstance(said, Weights)
    assert said.weights.shape == (1, 4, 4, 4, 4)
    torch.testing.assert_close(said.weights.sum((2, 3, 4)), torch.ones(1, 4))
    mixed = said.weights.flatten(2) @ cross.v(tokens.flatten(1, 3))
    torch.testing.assert_close(cross.proj(mixed), out, atol=1e-5, rtol=1e-5)


def test_an_attention_that_tells_nothing_is_refused():
    class Silent(CrossAttention):
        forward = macs = None

    with pytest.raises(Mistake, match="Silent does not say where its queries look"):
        seen(Silent(16, 2), *[torch.zeros(1)] * 4)


def test_a_point_stands_on_the_frames_of_the_token_that_it_read():
    places = torch.tensor([[0.2, 0.4, 0.125], [0.6, 0.8, 0.8]])  # the middle of the first of four tokens; in the last
    points, weights = on_frames(Points(places, torch.tensor([0.7, 0.3]), 4), 8)
    assert points[:, 2].tolist() == [0, 1, 6, 7]
    np.testing.assert_allclose(points[:, :2], places[[0, 0, 1, 1], :2])
    assert weights.tolist() == pytest.approx([0.35, 0.35, 0.15, 0.15])


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    file = tmp_path_factory.mktemp("untrained") / "one.ckpt"
    write_untrained(file)
    return Detector.from_pretrained(file, device="cpu", least=0.0)


def test_a_detector_tells_what_its_surest_queries_looked_at_for_a_frame(detector, tmp_path):
    looks = detector.look(VIDEO, frame=5, most=3, fps=10)
    assert looks.frames.shape == (4, 32, 32, 3)
    assert any(second == pytest.approx(0.5) for second in looks.seconds)
    assert looks.proportion == 1.5
    assert len(looks.looks) == 3
    first = looks.looks[0]
    frame = next(one for one in detector(VIDEO).frames if one.frame == 5)
    place = next(place for place, second in enumerate(looks.seconds) if second == pytest.approx(0.5))
    np.testing.assert_allclose(first.boxes[place], frame.boxes[first.query], atol=1e-5)
    assert first.seen.weights.sum() == pytest.approx(1, rel=1e-4)
    assert looks.figure().get_suptitle() == "What the surest queries looked at"  # frames have no name
    named = replace(looks, path="clips/a.mp4").figure()
    assert named.get_suptitle() == "a.mp4: what the surest queries looked at"
    looks.save(tmp_path / "new" / "look.png")
    assert (tmp_path / "new" / "look.png").stat().st_size > 5000
    with pytest.raises(Mistake, match=r"look.gif: what queries look at is drawn as .png"):
        looks.save(tmp_path / "look.gif")
    with pytest.raises(Mistake, match="frame=11: <array> has frames 0 to 10"):
        detector.look(VIDEO, 11)
    with pytest.raises(Mistake, match="layer=2: the decoder has 2; wanted 0 to 1, or -1 for the last"):
        detector.look(VIDEO, layer=2)


def test_the_surest_query_is_shown_however_unsure(detector):
    detector.least = 0.999
    try:
        assert len(detector.look(VIDEO).looks) == 1
    finally:
        detector.least = 0.0
