"""Others' figures come out of our counts, each counted as its authors did."""

import pytest
import torch

from vidattn.flops.measuring import measure
from vidattn.flops.published import Figure, figures


@pytest.fixture(scope="module")
def explained():
    return {(figure.source.split(",")[0], figure.what, figure.unit): figure for figure in figures()}


PAPER, MILLIONS = "TimeSformer paper", "M parameters"


@pytest.mark.parametrize(
    ("source", "what", "unit", "published", "exact"),
    [
        (PAPER, "timesformer, 1x3 views", "TFLOPs", "0.59", 0.58749),
        (PAPER, "timesformer-hr, 1x3 views", "TFLOPs", "5.11", 5.10806),
        (PAPER, "timesformer-l, 1x3 views", "TFLOPs", "7.14", 7.13957),
        (PAPER, "divided", MILLIONS, "121.4", 121.392558),
        (PAPER, "joint", MILLIONS, "85.9", 85.938606),
        (PAPER, "space", MILLIONS, "85.9", 85.932462),
        (PAPER, "axial", MILLIONS, "156.8", 156.846510),
        (PAPER, "local+global", MILLIONS, "121.4", 121.392558),
        ("mmaction2", "divided, 8x224", "G FLOPs", "196", 196.053480),
        ("mmaction2", "joint, 8x224", "G FLOPs", "180", 179.713429),
        ("mmaction2", "space, 8x224", "G FLOPs", "141", 140.650790),
        ("mmaction2", "divided", MILLIONS, "122", 121.566352),
        ("mmaction2", "joint", MILLIONS, "86.11", 86.1124),
        ("fvcore on the official code", "divided, 8x224", "FLOPs", "196,053,480,192", 196_053_480_192),
        ("fvcore on the official code", "joint, 8x224", "FLOPs", "179,713,429,248", 179_713_429_248),
        ("Motionformer paper", "joint, 16x224", "GFLOPs", "180.6", 180.488239104 + 0.150624),
        ("Motionformer paper", "divided, 16x224", "GFLOPs", "185.8", 185.545408512 + 0.22292352),
        ("Motionformer paper", "trajectory, 16x224", "GFLOPs", "369.5", 369.358731264 + 0.150624),
    ],
)
def test_a_published_figure_is_reproduced(explained, source, what, unit, published, exact):
    figure = explained[source, what, unit]
    assert figure.published == published
    assert figure.reproduced
    assert figure.computed == pytest.approx(exact, rel=1e-5)


def test_everything_but_vivit_is_reproduced(explained):
    assert {figure.source for figure in explained.values() if not figure.reproduced} == {"ViViT paper, 2103.15691"}


@pytest.mark.parametrize(
    ("model", "gmacs", "published", "more"),
    [("1, joint", 451.52, "455.2", "0.8%"), ("2, factorised encoder", 283.34, "284.4", "0.4%"),
     ("3, factorised self-attention", 371.09, "372.3", "0.3%"), ("4, factorised dot-product", 276.18, "277.1", "0.3%")],
)  # fmt: skip
def test_vivits_remainder_is_told_and_not_explained_away(explained, model, gmacs, published, more):
    figure = explained["ViViT paper", f"model {model}, 32x224", "GFLOPs"]
    assert figure.computed == pytest.approx(gmacs, abs=0.005)
    assert figure.published == published
    assert not figure.reproduced
    assert f"fit to {more}; the rest is unexplained" in figure.how


def test_layer_norm_is_in_fvcores_figure_and_not_in_the_papers(explained):
    """fvcore adds 5 for each number: HF's TimeSformer, the official code's twin, has so many of them."""
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        model = transformers.TimesformerForVideoClassification(
            transformers.TimesformerConfig(num_frames=8, num_labels=400)
        )
    cost = measure(model.eval(), torch.empty(1, 8, 3, 224, 224))
    (norms,) = (line.elements for line in cost.uncounted if line.operator == "native_layer_norm")
    figure = explained["fvcore on the official code", "divided, 8x224", "FLOPs"]
    assert cost.macs + 5 * norms == figure.computed
    assert "with fvcore's LayerNorm it would say 7.15" in explained[PAPER, "timesformer-l, 1x3 views", "TFLOPs"].how


def test_the_classes_of_the_head_decide_the_papers_parameters(explained):
    assert explained[PAPER, "divided", MILLIONS].how.endswith("with those of Kinetics-400 121.6")


def test_a_figure_is_rounded_as_it_was_published():
    assert Figure("", "", "0.59", "", 0.5875, "").reproduced
    assert not Figure("", "", "0.60", "", 0.5875, "").reproduced
    assert Figure("", "", "1,235", "", 1234.6, "").reproduced
