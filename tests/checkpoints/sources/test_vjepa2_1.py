"""V-JEPA 2.1 from files as Meta writes them. No port of it exists: the encoder is stated once more here, slowly, from
what its code was seen to do (positions by plain loops, in double precision)."""

import math

import pytest
import torch
import torch.nn.functional as F

from vidattn.checkpoints.loading import load
from vidattn.checkpoints.renaming import WeightsError

DIM, DEPTH, HEADS, HIDDEN, PATCH = 128, 2, 2, 160, 4  # heads of 64, as all published ones


def weights(depth=DEPTH):
    """An encoder's, by the official names, all random."""
    torch.manual_seed(0)
    shapes = {
        "img_mod_embed": (1, 1, DIM),
        "video_mod_embed": (1, 1, DIM),
        "patch_embed.proj.weight": (DIM, 3, 2, PATCH, PATCH),
        "patch_embed.proj.bias": (DIM,),
        "patch_embed_img.proj.weight": (DIM, 3, 1, PATCH, PATCH),
        "patch_embed_img.proj.bias": (DIM,),
    }
    norms = [f"norms_block.{level}" for level in range(4)]
    for i in range(depth):
        norms += [f"blocks.{i}.norm1", f"blocks.{i}.norm2"]
        layers = {
            "attn.qkv": (3 * DIM, DIM),
            "attn.proj": (DIM, DIM),
            "mlp.fc1": (HIDDEN, DIM),
            "mlp.fc2": (DIM, HIDDEN),
        }
        for name, shape in layers.items():
            shapes |= {f"blocks.{i}.{name}.weight": shape, f"blocks.{i}.{name}.bias": shape[:1]}
    shapes |= {f"{name}.{part}": (DIM,) for name in norms for part in ("weight", "bias")}
    return {
        name: 0.1 * torch.randn(shape) + float("norm" in name and "weight" in name) for name, shape in shapes.items()
    }


def turned(x, frame, row, column):
    """One token's queries or keys `(64,)`: 20 components for each of time, rows and columns, in pairs; 4 stay."""
    out = x.clone()
    for axis, place in enumerate((frame, row, column)):
        for i in range(10):
            even, odd = 20 * axis + 2 * i, 20 * axis + 2 * i + 1
            angle = place * 10000 ** (-i / 10)
            out[even] = x[even] * math.cos(angle) - x[odd] * math.sin(angle)
            out[odd] = x[even] * math.sin(angle) + x[odd] * math.cos(angle)
    return out


def encoder(state, clip):
    """The normed tokens of one clip `(3, T, H, W)`."""
    w = {name: value.double() for name, value in state.items()}

    def norm(name, x):
        return F.layer_norm(x, (DIM,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

    def linear(name, x):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    maps = F.conv3d(clip.double()[None], w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], (2, PATCH, PATCH))[0]
    frames, rows, columns = maps.shape[1:]
    x = maps.flatten(1).T + w["video_mod_embed"][0]
    places = [
        (t, 15 * r / (rows - 1) if rows > 1 else 0, 15 * c / (columns - 1) if columns > 1 else 0)
        for t in range(frames)
        for r in range(rows)
        for c in range(columns)
    ]
    for i in range(sum(name.endswith(".norm2.weight") for name in state)):
        q, k, v = linear(f"blocks.{i}.attn.qkv", norm(f"blocks.{i}.norm1", x)).unflatten(1, (3, HEADS, 64)).unbind(1)
        heads = []
        for h in range(HEADS):
            turned_q, turned_k = (
                torch.stack([turned(one[token, h], *place) for token, place in enumerate(places)]) for one in (q, k)
            )
            heads.append((turned_q @ turned_k.T / 8).softmax(-1) @ v[:, h])
        x = x + linear(f"blocks.{i}.attn.proj", torch.cat(heads, dim=1))
        x = x + linear(f"blocks.{i}.mlp.fc2", F.gelu(linear(f"blocks.{i}.mlp.fc1", norm(f"blocks.{i}.norm2", x))))
    return norm("norms_block.3", x)


def write(path, state, key="ema_encoder", **more):
    wrapped = {f"module.backbone.{name}": value for name, value in state.items()}
    torch.save({key: wrapped, "predictor": {}, **more}, path)
    return path


@pytest.mark.parametrize("key", ["ema_encoder", "target_encoder"])
@pytest.mark.parametrize("shape", [(4, 12, 12), (2, 12, 20), (6, 20, 8), (4, 8, 4), (2, 4, 16), (4, 4, 4)])
def test_the_encoder_gives_the_tokens_of_the_slow_one(tmp_path, shape, key):
    """Other sizes, maps that are no square, one row, one column (position 0: the official code has no answer there)."""
    state = weights()
    ours = load(write(tmp_path / "vjepa2_1_vitb_dist_vitG_384.pt", state, key)).network
    torch.manual_seed(1)
    clips = torch.randn(2, 3, *shape)
    with torch.no_grad():
        tokens = ours.features(clips, normalized=True).tokens
    for found, clip in zip(tokens.double(), clips, strict=True):
        torch.testing.assert_close(found, encoder(state, clip), atol=1e-5, rtol=1e-5)


def test_what_is_left_out_is_said(tmp_path):
    model = load(write(tmp_path / "a.pt", weights()))
    assert model.report == [
        "the patch layer of single pictures: left out, 3 tensors",
        "norms of levels before the last: left out, 6 tensors",
        "video_mod_embed: became part of the patch layer's bias",
        "num_heads: assumed 2, as published for width 128; the file does not say",
        "num_frames, image_size: assumed 64 and 384, the file does not say; there is no table of positions, so that "
        "other clips are no approximation",
        "the predictor of pre-training: left out",
        "head: reset, none -> 400",
    ]
    assert (model.preprocessing.image_size, model.preprocessing.short_side) == (384, 438)
    assert model.licence.startswith("MIT")


def test_the_average_is_read_where_a_file_holds_several_encoders(tmp_path):
    state = weights()
    wrong = {f"module.backbone.{name}": value + 1 for name, value in state.items()}
    for key in ("ema_encoder", "target_encoder"):
        path = write(tmp_path / f"{key}.pt", state, key, encoder=wrong)
        torch.testing.assert_close(load(path).network.norm.bias, state["norms_block.3.bias"])


def mixed(**changes):
    state = weights() | changes
    return {name: value for name, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm.weight": torch.ones(DIM)}, r"both norm \(V-JEPA 2\) and img_mod_embed \(V-JEPA 2\.1\)"),
        ({"video_mod_embed": None}, r"V-JEPA 2\.1 without video_mod_embed"),
        ({"norms_block.3.weight": None}, r"missing: norms_block\.3\.weight \(for our norm\.weight\)"),
        ({"pos_embed": torch.zeros(1, 9, DIM)}, r"left over: pos_embed"),
    ],
)
def test_a_file_that_is_no_encoder_of_2_1_names_what_is_odd(tmp_path, changes, message):
    with pytest.raises(WeightsError, match=message):
        load(write(tmp_path / "a.pt", mixed(**changes)))


def test_weights_of_2_1_do_not_become_a_network_of_2_0(tmp_path):
    path = write(tmp_path / "a.pt", weights())
    with pytest.raises(
        WeightsError, match=r"query_key='scaled_rotary' in the file \(V-JEPA 2\.1\), 'tiled_rotary' here"
    ):
        load(path, query_key="tiled_rotary")


def test_a_single_frame_is_refused(tmp_path):
    model = load(write(tmp_path / "a.pt", weights()))
    with pytest.raises(ValueError, match="input frames=1 is not a multiple of tubelet_size=2"):
        model.network(torch.zeros(1, 3, 1, 8, 8))


def test_places_cannot_be_left_out_as_the_map_tells_how_far_apart_they_are(tmp_path):
    model = load(write(tmp_path / "a.pt", weights()))
    with pytest.raises(ValueError, match=r"query_key='scaled_rotary' stretches positions .* use rotary"):
        model.network.features(torch.zeros(1, 3, 2, 8, 8), keep=torch.tensor([[0, 2]]))


def test_an_encoder_that_was_saved_without_its_wrapper_is_read_too(tmp_path):
    write(tmp_path / "vjepa2_1.pt", weights())
    torch.save(weights(), tmp_path / "flat.pt")
    wanted, model = load(tmp_path / "vjepa2_1.pt"), load(tmp_path / "flat.pt")
    assert model.config == wanted.config
    assert model.config.query_key == "scaled_rotary"
    torch.testing.assert_close(model.network.patch.state_dict(), wanted.network.patch.state_dict())
    assert any("holds weights alone" in line for line in model.report)
