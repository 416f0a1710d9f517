import pytest
from torch import nn

from vidattn.attention.imported import imported, named

TABLE = {"layer": nn.LayerNorm}


def test_names_of_ours_come_first_and_paths_are_imported():
    assert named("layer", TABLE, "norm") is nn.LayerNorm
    assert named("torch.nn.RMSNorm", TABLE, "norm") is nn.RMSNorm
    assert imported("math.tau", "x") > 6


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("leyer", "norm='leyer' is unknown; choose one of layer, or an import path"),
        (
            "no_such_package.Norm",
            "cannot import 'no_such_package.Norm' .*; install it, or name its folder in PYTHONPATH",
        ),
        ("torch.nn.NoSuchNorm", r"norm='torch\.nn\.NoSuchNorm': cannot import .*NoSuchNorm.*\)$"),
    ],
)
def test_what_is_neither_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        named(name, TABLE, "norm")
