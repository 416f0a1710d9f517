"""`vidattn bench-masked` says what a masked step costs; how long it takes here is not asserted."""

import re

import pytest
import torch

from vidattn.cli import main
from vidattn.models.masks import TubeMask
from vidattn.models.presets import preset

TINY = ["--network", "Ti", "--num_frames", "2", "--image_size", "32", "--rounds", "1"]


def test_both_steps_are_timed_and_their_cost_is_the_closed_form(capsys):
    main(["bench-masked", *TINY, "--attention", "time+space", "--ratio", "0.75"])
    said = " ".join(capsys.readouterr().out.split())
    config = preset("Ti", attention="time+space", num_frames=2, image_size=32)
    with torch.device("meta"):
        network = config.build()
    keep = TubeMask(0.75).keep(config.native_grid, [0])
    whole, masked = (network.features_macs(2, 32, 32, what).total for what in (None, keep))
    assert f"{whole / 1e9:,.3f}" in said
    assert f"{masked / 1e9:,.3f}" in said
    assert f"on what is left: {masked / whole:.1%} of the multiply-accumulates" in said
    assert re.search(r"\d% of the time \(one [\d.]+th; median", said)


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--attention", "window"], "cannot leave places out"), (["--ratio", "0.01"], "hides nothing")],
)
def test_what_cannot_be_masked_is_refused(capsys, words, message):
    with pytest.raises(SystemExit) as end:
        main(["bench-masked", *TINY, *words])
    assert end.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
