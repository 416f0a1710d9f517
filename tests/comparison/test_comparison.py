"""Costs side by side against the published tables, and the points where one scheme overtakes another."""

from dataclasses import replace

import pytest
from staged import STAGED

from vidattn import compare, crossovers
from vidattn.attention.image.squeeze_excite import SqueezeExcite
from vidattn.comparison.matching import match
from vidattn.flops import count
from vidattn.flops.agreement import CountError
from vidattn.macs import Macs
from vidattn.models.presets import PRESETS, preset

# Multiply-accumulates of ViT-B/16 from the official code, counted with two other tools (clip -> divided, joint, space).
OFFICIAL = {
    (112, 4): (24_068_075_520, 17_563_367_424, 17_287_163_904),
    (112, 16): (96_274_919_424, 78_494_693_376, 69_147_734_016),
    (224, 8): (195_830_280_192, 179_562_805_248, 140_504_788_992),
}


def test_rows_hold_the_official_counts_and_their_ratio():
    for (size, frames), (divided, joint, space) in OFFICIAL.items():
        rows = compare(["joint", "divided", "space"], [frames], [size])
        assert [row["macs"] for row in rows] == [joint, divided, space]
        assert [row["ratio"] for row in rows] == [1, divided / joint, space / joint]


def test_every_row_is_the_count_of_a_network_made_for_that_clip():
    rows = compare(["time+space", "space>time(4)"], frames=[4, 16], sizes=[112, 160], base=preset("Ti"))

    assert [(row["size"], row["frames"], row["attention"]) for row in rows][:3] == [
        (112, 4, "time+space"), (112, 4, "space>time(4)"), (112, 16, "time+space"),
    ]  # fmt: skip
    last = count(preset("Ti", attention="space>time(4)", num_frames=16, image_size=160))
    assert rows[-1] | last.row() == rows[-1]
    assert rows[-1]["activation_mib"] == last.activation_bytes / 2**20
    assert rows[-1]["attention_share"] == last.parts.attention / last.macs
    assert rows[-1]["ratio"] == last.macs / rows[-2]["macs"]


@pytest.mark.parametrize(("size", "frames"), [(112, 42), (224, 11), (336, 6), (448, 4)])
def test_divided_beats_joint_from_the_published_length_on(size, frames):
    (row,) = crossovers(["joint", "divided"], frames=[], sizes=[size])
    assert (row["cheaper"], row["dearer"], row["beyond"], row["always"]) == ("divided", "joint", frames, False)
    before, after = ({row["attention"]: row["macs"] for row in compare(["joint", "divided"], [length], [size])}
                     for length in (frames - 1, frames))  # fmt: skip
    assert before["divided"] > before["joint"]
    assert after["divided"] < after["joint"]


@pytest.mark.parametrize(("size", "pixels"), [("Ti", 144), ("S", 192), ("B", 272), ("L", 320)])
def test_divided_beats_joint_from_the_published_resolution_on(size, pixels):
    (row,) = crossovers(["divided", "joint"], frames=[8], sizes=[], base=preset(size))
    assert (row["cheaper"], row["at"], row["axis"], row["beyond"]) == ("divided", "8 frames", "px", pixels)


def test_one_that_always_wins_and_one_that_costs_the_same():
    rows = crossovers(["time+space", "space+time", "space"], frames=[], most_frames=20)
    assert [(row["cheaper"], row["dearer"], row["always"]) for row in rows] == [
        ("space", "time+space", True), ("space", "space+time", True),
    ]  # fmt: skip


def test_rows_make_a_data_frame():
    pandas = pytest.importorskip("pandas")
    rows = compare(["joint", "space"], [2, 4], [32, 64], preset("Ti", depth=1))
    frame = pandas.DataFrame(rows)
    table = frame.pivot_table(index=["size", "frames"], columns="attention", values="gmacs")
    assert table.shape == (4, 2)
    assert table.loc[(64, 4), "space"] == rows[-1]["gmacs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schemes": ["joint", "tme"]}, "did you mean 'time'"),
        ({"schemes": ["joint"], "frames": [0]}, "num_frames=0 must be at least 1"),
        ({"schemes": ["joint", "divided", "time+space"]}, "'time\\+space' is the scheme 'divided' once more"),
        ({"schemes": ["joint"], "sizes": [225]}, "nearest sizes are 224 and 240"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(**arguments)


def test_one_string_is_no_list_of_schemes():
    with pytest.raises(TypeError, match=r"schemes='joint' is one string; give a list, such as \['joint'\]"):
        compare("joint")


class Boaster(SqueezeExcite):
    """Declares a hundredth of what it does."""

    def macs(self, height: int, width: int) -> Macs:
        return Macs(linear=super().macs(height, width).total // 100)


@pytest.mark.parametrize(
    "function",
    [compare, crossovers, lambda schemes, base: match(schemes, base)],
    ids=["compare", "crossovers", "match"],
)
def test_no_number_comes_of_a_false_declaration(function):
    with pytest.raises(CountError, match=r"Boaster\) declares .* correct its macs\(\)"):
        function(["joint", f"time+{__name__}.Boaster"], base=preset("Ti"))


def test_presets_stand_beside_schemes_each_as_its_own_network(monkeypatch):
    for name, config in STAGED.items():
        monkeypatch.setitem(PRESETS, name, config)
    rows = compare(["joint", "swin", "hiera"], frames=[4], sizes=[64], base=preset("Ti", depth=2))
    assert [row["attention"] for row in rows] == ["joint", "swin", "hiera"]
    assert [row["macs"] for row in rows[1:]] == [count(STAGED[name], 4, 64, 64).macs for name in ("swin", "hiera")]
    assert rows[2]["parameters"] == count(replace(STAGED["hiera"], image_size=64)).parameters
    points = crossovers(["swin", "hiera"], [4], [64], most_frames=8, most_size=96)
    assert {point["at"]: point["axis"] for point in points} == {"64 px": "frames", "4 frames": "px"}
    with pytest.raises(ValueError, match="the preset 'swin' is there twice"):
        compare(["swin", "joint", "swin"])


def test_schemes_take_turns_in_all_stages_of_a_network():
    base = replace(STAGED["swin"], image_size=64)
    rows = compare(["swin3d(2,3,3)", "window(2,3,3)", "joint"], frames=[4], sizes=[64], base=base, check=True)
    assert rows[1]["macs"] < rows[0]["macs"] < rows[2]["macs"]
