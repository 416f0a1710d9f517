"""PVT, the first version: the paper's and the official code's figures, Hugging Face's answers, and plain loops."""

import pytest
import torch
import torch.nn.functional as F
from transformers import PvtConfig, PvtForImageClassification

import vidattn
from vidattn.models.frame_patches import FramePatches
from vidattn.models.presets import preset

# Of the official code at 224 pixels; the paper's table 3 has 13.2, 24.5, 44.2 and 61.4 M, and 1.9, 3.8, 6.7 and 9.8 G.
PUBLISHED = {
    "pvt-tiny": (13_229_288, 1.933),
    "pvt-small": (24_485_864, 3.816),
    "pvt-medium": (44_208_104, 6.659),
    "pvt-large": (61_369_320, 9.814),
}
EMBED = "pvt.encoder.patch_embeddings"


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_cost_are_the_published_ones(name):
    with torch.device("meta"):
        network = preset(name).build()
    parameters, gmacs = PUBLISHED[name]
    assert sum(map(torch.numel, network.parameters())) == parameters
    assert round(network.macs(1, 224, 224).total / 1e9, 3) == gmacs


def peer(size: int = 64) -> PvtForImageClassification:
    """Hugging Face's, every weight random. Its norms behind patches and reductions add 1e-6; PVT's own have 1e-5."""
    torch.manual_seed(0)
    sizes = {"hidden_sizes": [64, 128, 64, 128], "num_attention_heads": [1, 2, 1, 2], "depths": [1, 2, 1, 2]}
    theirs = PvtForImageClassification(
        PvtConfig(image_size=size, num_labels=5, mlp_ratios=[2, 2, 3, 1], **sizes)
    ).eval()
    for name, parameter in theirs.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name and name.endswith("weight") else 0.0, std=0.1)
    for name, module in theirs.named_modules():
        if (name.startswith(EMBED) and name.endswith("layer_norm")) or name.endswith("self.layer_norm"):
            module.eps = 1e-5
    return theirs


def as_official(theirs: PvtForImageClassification) -> dict[str, torch.Tensor]:
    """Its weights by the names in PVT's own files."""
    state, weights = dict(theirs.state_dict()), {}
    layers = {"layer_norm_1": "norm1", "attention.self.query": "attn.q", "attention.output.dense": "attn.proj",
              "attention.self.sequence_reduction": "attn.sr", "attention.self.layer_norm": "attn.norm",
              "layer_norm_2": "norm2", "mlp.dense1": "mlp.fc1", "mlp.dense2": "mlp.fc2"}  # fmt: skip
    for name, value in state.items():
        if name.startswith(EMBED):
            stage, part = name.removeprefix(f"{EMBED}.").split(".", 1)
            stage = int(stage) + 1
            layer = part.replace("projection", "proj").replace("layer_norm", "norm")
            plain = {"position_embeddings": f"pos_embed{stage}", "cls_token": "cls_token"}
            weights[plain.get(part, f"patch_embed{stage}.{layer}")] = value
        elif name.startswith("pvt.encoder.block."):
            stage, block, part = name.removeprefix("pvt.encoder.block.").split(".", 2)
            layer, _, kind = part.rpartition(".")
            place = f"block{int(stage) + 1}.{block}"
            if layer in layers:
                weights[f"{place}.{layers[layer]}.{kind}"] = value
            elif layer.endswith("key"):
                weights[f"{place}.attn.kv.{kind}"] = torch.cat((value, state[name.replace("key", "value")]))
        elif name.startswith("classifier"):
            weights[name.replace("classifier", "head")] = value
        else:
            weights.setdefault(name.replace("pvt.encoder.layer_norm", "norm"), value)
    return {name: value for name, value in weights.items() if not name.startswith("pvt.")}


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    theirs = peer()
    file = tmp_path_factory.mktemp("pvt") / "pvt.pth"
    torch.save(as_official(theirs), file)
    return theirs, file


def test_answers_are_hugging_faces_of_each_picture(official):
    theirs, file = official
    model, pictures = vidattn.load(file), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(pictures[:, :, None]), theirs(pictures).logits, rtol=1e-5, atol=1e-5)
    assert model.config.attention == ("pvt(8)", "pvt(4)", "pvt(2)", "space")
    assert (model.config.mlp_ratio, model.config.num_heads) == ((2, 2, 3, 1), (1, 2, 1, 2))


def test_a_still_clip_has_the_pictures_answer(official):
    theirs, file = official
    picture = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        found = vidattn.load(file, num_frames=3).network(picture[:, :, None].expand(-1, -1, 3, -1, -1))
        torch.testing.assert_close(found, theirs(picture).logits, rtol=1e-5, atol=1e-5)


def test_at_another_size_every_stages_table_is_resized_bilinearly_by_the_network_and_by_loading(official):
    _, file = official
    resized, native = vidattn.load(file, image_size=96), vidattn.load(file)
    clip = torch.randn(1, 3, 1, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(resized.network(clip), native.network(clip), rtol=1e-5, atol=1e-5)
    assert "position: 4 tables resized, bilinear" in resized.report
    merging = native.network.stages[2].merging
    places = merging.position.table.view(1, 4, 4, -1).movedim(-1, 1)
    wanted = F.interpolate(places, (6, 6), mode="bilinear").flatten(2).mT
    grid = native.config.native_grid.with_sides(1, 6, 6)
    torch.testing.assert_close(merging.position(grid), wanted)


def test_patches_are_sums_over_their_pixels_with_zeros_beyond_the_map():
    torch.manual_seed(0)
    patches, video = FramePatches(3, 4, 2, vidattn.attention.parts.VIT).double(), torch.randn(1, 2, 3, 4, 3).double()
    for frame, row, column in [(0, 0, 0), (1, 1, 1), (1, 0, 1)]:
        total = patches.conv.bias
        for down, across in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            if 2 * row + down < 3:
                pixel = video[0, frame, 2 * row + down, 2 * column + across]
                total = total + patches.conv.weight[:, :, down, across] @ pixel
        wanted = (total - total.mean()) / (total.var(correction=0) + 1e-5).sqrt()
        torch.testing.assert_close(patches(video)[0, frame, row, column], wanted)


def test_prefix_tokens_that_would_not_get_through_are_refused():
    with pytest.raises(ValueError, match=r"needs prefix tokens, and downsampling=.* takes none along"):
        preset("pvt-tiny", downsampling="patch_conv")
    with pytest.raises(ValueError, match="1 prefix tokens join, and pooling='mean' reads 0"):
        preset("pvt-tiny", pooling="mean")
    assert preset("pvt-tiny", downsampling="patch_conv", pooling="mean").native_grid.prefix == 0
    with pytest.raises(ValueError, match="tubelet_size=2: the stem `patch_conv` takes each frame alone"):
        preset("pvt-tiny", tubelet_size=2).build()
