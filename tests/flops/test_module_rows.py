"""`vidattn flops` of a module that somebody else wrote."""

import json

import pytest
from torch import nn

from vidattn.cli import main


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 4), nn.GELU(), nn.Dropout())


def number() -> int:
    return 3


def test_a_factory_is_measured_by_its_import_path(tmp_path, capsys):
    main(["flops", f"{__name__}.small", "--input", "5,8", "--json", str(tmp_path / "cost.json")])
    whole, product, gelu = json.loads((tmp_path / "cost.json").read_text())
    assert (whole["macs"], whole["flops"], whole["parameters"]) == (5 * 8 * 4, 2 * 5 * 8 * 4, 8 * 4 + 4)
    assert (product["row"], product["macs"]) == ("addmm", 5 * 8 * 4)
    assert (gelu["row"], gelu["calls"], gelu["elements"]) == ("not counted: gelu", 1, 5 * 4)
    assert "not counted: gelu" in capsys.readouterr().out


def moody() -> nn.Module:
    raise RuntimeError("not today")


class Picky(nn.Module):
    def forward(self, x):
        assert x.shape[1] == 3, "three channels"
        return {}["logits"]


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("smal", "5,8", "called without arguments"),
        ("number", "5,8", "gives a int; wanted a torch.nn.Module"),
        ("small", "5,7", "fails on a tensor of shape (5, 7)"),
        ("moody", "5,8", "called without arguments: RuntimeError: not today"),
        ("Picky", "5,8", "Picky fails on a tensor of shape (5, 8): AssertionError: three channels"),
        ("Picky", "5,3", "Picky fails on a tensor of shape (5, 3): KeyError: 'logits'"),
        ("small", "5,x", "'5,x' is no shape; write 1,3,32,224,224"),
    ],
)
def test_what_cannot_be_measured_is_said(name, shape, message, capsys):
    with pytest.raises(SystemExit):
        main(["flops", f"{__name__}.{name}", "--input", shape])
    assert message in capsys.readouterr().err
