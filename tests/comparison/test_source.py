from pathlib import Path

import pytest

from vidattn.checkpoints.pretrained import Pretrained
from vidattn.comparison.source import find_source
from vidattn.models.config import VideoTransformerConfig
from vidattn.models.presets import PRESETS, build_network
from vidattn.preprocessing import Preprocessing

CONFIGS = Path(__file__).parents[2] / "configs"


def test_a_preset_and_a_scheme_are_made_for_the_size_that_is_asked():
    assert find_source("timesformer-hr").config == PRESETS["timesformer-hr"]
    config = find_source("time+space", 16, (112, 224)).config
    assert (config.num_frames, config.size, config.embed_dim) == (16, (112, 224), 768)
    assert find_source("space>time(4)").config.attention == "space>time(4)"


def test_a_yaml_tells_its_network_and_its_views(tmp_path):
    source = find_source(str(CONFIGS / "k400_hr.yaml"))
    assert (source.config.num_frames, source.config.size, source.clips, source.crops) == (16, (448, 448), 1, 3)
    path = tmp_path / "run.yaml"
    path.write_text("model: {network: {attention: joint, image_size: [32, 48]}}\ndata: {num_test_clips: 10}\n")
    source = find_source(str(path))
    assert (source.config.size, source.clips, source.crops) == ((32, 48), 10, 3)
    path.write_text(path.read_text().replace("{num_test_clips: 10}", "{views: {num_test_clips: 10}}"))
    assert find_source(str(path)) == source
    (tmp_path / "config.yaml").write_text(path.read_text())
    assert find_source(str(tmp_path)).config == source.config


def test_all_configurations_of_this_repository_can_be_counted():
    assert all(find_source(str(path)).config for path in CONFIGS.glob("*.yaml") if "network:" in path.read_text())


def test_a_saved_folder_and_its_weights_tell_their_network(tmp_path):
    config = VideoTransformerConfig("joint", 7, 2, (16, 24), 8, embed_dim=32, depth=1, num_heads=2)
    preprocessing = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    Pretrained(build_network(config), [], preprocessing).save_pretrained(tmp_path)
    assert find_source(str(tmp_path)).config == config
    assert find_source(str(tmp_path / "model.safetensors")).config == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spaec", r"'spaec' is no file, no preset \(Ti, .*\) and no scheme: .* did you mean 'space'"),
        ("nowhere/run.yaml", r"nowhere/run\.yaml: no such file"),
        ("{0}/empty.yaml", r"empty\.yaml: has no model\.network"),
        ("{0}/no_model.yaml", r"no_model\.yaml: has no model\.network"),
        ("{0}/no_yaml.yaml", r"no_yaml\.yaml: is no YAML: [^\n]*$"),
        ("{0}/word.yaml", r"word\.yaml: model\.network: "),
        ("{0}/odd.yaml", r"odd\.yaml: model\.network has no colour; it has "),
        ("{0}/wrong.yaml", r"wrong\.yaml: model\.network: image_size=30x30: 30 is not a multiple"),
        ("{0}/broken.ckpt", r"broken\.ckpt"),
    ],
)
def test_what_names_nothing_is_told(tmp_path, text, message):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "no_model.yaml").write_text("model:\ndata: {}\n")
    (tmp_path / "no_yaml.yaml").write_text("model: [")
    (tmp_path / "word.yaml").write_text("model: {network: {depth: two}}")
    (tmp_path / "odd.yaml").write_text("model: {network: {colour: red}}")
    (tmp_path / "wrong.yaml").write_text("model: {network: {image_size: 30}}")
    (tmp_path / "broken.ckpt").write_text("nothing")
    with pytest.raises(ValueError, match=message):
        find_source(text.format(tmp_path))
