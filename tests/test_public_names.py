"""`import vidattn` is light, and every public name is there when asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import vidattn


def test_every_public_name_is_what_its_module_defines():
    assert set(vidattn._HOMES) == set(vidattn.__all__)
    for name in vidattn.__all__:
        assert getattr(vidattn, name) is getattr(sys.modules[vidattn._HOMES[name]], name)
        assert name in dir(vidattn)


def test_importing_the_package_and_its_commands_needs_no_torch():
    lines = "import sys, vidattn.cli; print([m for m in ('torch', 'torchvision', 'av') if m in sys.modules])"
    output = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    ).stdout

    assert output.strip() == "[]"


def test_a_name_that_is_not_public_is_an_attribute_error_that_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"no attribute 'load_model'; public names: PRESETS, .*preset"):
        _ = vidattn.load_model
