import itertools
import json
import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file
from small_networks import random_network, small_model

from vidattn.checkpoints.loading import load, load_weights
from vidattn.checkpoints.renaming import WeightsError


def our_folder(folder):
    small_model().save_pretrained(folder)
    return folder / "model.safetensors"


def our_checkpoint(folder):
    model = small_model()
    about = {
        "format": 1,
        "network": model.config.to_dict(),
        "class_names": [],
        "preprocessing": model.preprocessing.to_dict(),
    }
    state = {f"network.{name}": value for name, value in model.network.state_dict().items()}
    torch.save({"state_dict": state, "vidattn": about}, folder / "run.ckpt")
    return folder / "run.ckpt"


def old_pickle(folder):
    checkpoint = torch.load(our_checkpoint(folder), weights_only=True)
    torch.save(checkpoint, folder / "old.ckpt", _use_new_zipfile_serialization=False)
    return folder / "old.ckpt"


WRITERS = [our_folder, our_checkpoint, old_pickle]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.99, 0.99999])
def test_a_truncated_file_is_an_error_and_the_network_is_untouched(tmp_path, write, share):
    path = write(tmp_path)
    load(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(int(len(whole) * share), len(whole) - 1)])
    target = random_network()
    before = {name: value.clone() for name, value in target.state_dict().items()}

    with pytest.raises(WeightsError, match=path.name):
        load(path)
    with pytest.raises(WeightsError, match=path.name):
        load_weights(target, target.config, path)

    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_a_flipped_byte_in_the_weights_of_a_checkpoint_is_noticed(tmp_path):
    """PyTorch does not look at the archive's checksums."""
    path = our_checkpoint(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    torch.load(path, weights_only=True)

    with pytest.raises(WeightsError, match=r"run\.ckpt: not a readable checkpoint \(Bad CRC-32"):
        load(path)


def test_a_file_that_was_written_without_checksums_is_read(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        path = our_checkpoint(tmp_path)
    finally:
        torch.serialization.set_crc32_options(True)

    assert load(path).config.attention == "divided"


@pytest.mark.parametrize("name", ["x.safetensors", "x.bin", "x.ckpt", "x"])
def test_the_name_of_a_file_says_nothing(tmp_path, name):
    wanted = load(our_folder(tmp_path)).network.head.weight
    path = our_checkpoint(tmp_path).rename(tmp_path / name)

    assert torch.equal(load(path).network.head.weight, wanted)


def test_weights_of_hugging_face_without_their_configuration_say_what_is_missing(tmp_path):
    save_file({"vivit.layernorm.weight": torch.zeros(3)}, tmp_path / "alone.safetensors")

    with pytest.raises(WeightsError, match=r"Hugging Face vivit; put its config\.json beside them"):
        load(tmp_path / "alone.safetensors")


class Intruder:
    """Unpickled, it would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_with_code_in_a_folder_is_refused_and_does_not_run(tmp_path):
    our_folder(tmp_path).unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"x": Intruder(tmp_path / "trace")}, protocol=2))

    with pytest.raises(WeightsError, match=r"pytorch_model\.bin: holds Python objects or code \(_?io\.open\)"):
        load(tmp_path)

    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_configuration_is_named(tmp_path, text):
    our_folder(tmp_path)
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(WeightsError, match=r"config\.json"):
        load(tmp_path)


def test_a_folder_without_weights_says_what_it_holds(tmp_path):
    our_folder(tmp_path).unlink()

    with pytest.raises(
        WeightsError, match=r"holds neither model\.safetensors nor pytorch_model\.bin, but README\.md, config"
    ):
        load(tmp_path)


def test_a_piece_that_is_missing_is_named(tmp_path):
    our_folder(tmp_path).rename(tmp_path / "model-1.safetensors")
    index = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(index)

    with pytest.raises(WeightsError, match=r"model-2\.safetensors: no such file"):
        load(tmp_path)


def test_a_configuration_that_an_editor_began_with_a_byte_order_mark_is_read(tmp_path):
    folder = our_folder(tmp_path).parent
    config = folder / "config.json"
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())

    assert load(folder).config.attention == "divided"


WRAPPERS = ["module.", "_orig_mod.", "model.", "_fsdp_wrapped_module.", "_forward_module."]


@pytest.mark.parametrize(
    "order", [*itertools.permutations(WRAPPERS, 2), ("module.",) * 2, tuple(WRAPPERS)], ids="".join
)
def test_what_wrappers_put_before_all_names_is_taken_off_in_any_order(tmp_path, order):
    timm = pytest.importorskip("timm", reason="timm is a test dependency")
    model = timm.models.VisionTransformer(32, 8, embed_dim=64, depth=1, num_heads=1, num_classes=5)
    state = {"".join(order) + name: value for name, value in model.state_dict().items()}
    torch.save({"epoch": 3, "model_state_dict": state}, tmp_path / "wrapped.pth")

    assert torch.equal(load(tmp_path / "wrapped.pth").network.head.weight, model.head.weight)


def test_what_wrappers_put_inside_names_is_taken_out(tmp_path):
    """torch.compile and checkpointing of single layers, and the counter of torch's averaged weights."""
    timm = pytest.importorskip("timm", reason="timm is a test dependency")
    model = timm.models.VisionTransformer(32, 8, embed_dim=64, depth=1, num_heads=1, num_classes=5)
    inside = {name.replace("blocks.0.", "blocks.0._orig_mod."): value for name, value in model.state_dict().items()}
    inside = {name.replace("attn.", "attn._checkpoint_wrapped_module."): value for name, value in inside.items()}
    averaged = {f"module.{name}": value for name, value in inside.items()} | {"n_averaged": torch.tensor(7)}
    torch.save(averaged, tmp_path / "averaged.pth")

    assert torch.equal(load(tmp_path / "averaged.pth").network.head.weight, model.head.weight)


@pytest.mark.parametrize(
    "before", ["_orig_mod.network.", "network._orig_mod.", "module.network.", "module._orig_mod.network."]
)
def test_our_own_checkpoint_of_a_compiled_or_wrapped_network_is_read(tmp_path, before):
    checkpoint = torch.load(our_checkpoint(tmp_path), weights_only=True)
    wanted = load(tmp_path / "run.ckpt").network.head.weight
    state = {before + name.removeprefix("network."): value for name, value in checkpoint["state_dict"].items()}
    torch.save(checkpoint | {"state_dict": state}, tmp_path / "run.ckpt")

    assert torch.equal(load(tmp_path / "run.ckpt").network.head.weight, wanted)


def test_a_word_that_only_some_names_begin_with_is_no_wrapper(tmp_path):
    save_file({"module.a": torch.zeros(2), "b": torch.zeros(2)}, tmp_path / "x.safetensors")

    with pytest.raises(WeightsError, match=r"holds b, module\.a|holds module\.a, b"):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "listed", [{}, {"weight_map": None}, {"weight_map": ["a"]}, {"weight_map": {"a": 3}}, {"weight_map": {"a": None}}]
)
def test_a_list_of_pieces_that_is_none_is_named(tmp_path, listed):
    our_folder(tmp_path).unlink()
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(listed))

    with pytest.raises(WeightsError, match=r"model\.safetensors\.index\.json: weight_map=.*; wanted an object"):
        load(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="users of another system")
@pytest.mark.parametrize("source", ["~nosuchuser/x", "~nosuchuser"])
def test_the_folder_of_a_user_who_is_not_there_is_named(source):
    with pytest.raises(WeightsError, match=rf"^{source}: no such user; write the folder out"):
        load(source)


@pytest.mark.parametrize("source", ["x" * 5000, "a/" * 3000, "bad\0name", ""])
def test_a_path_that_can_be_none_is_an_error_with_its_name(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError):
        load(source)
