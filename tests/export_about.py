"""What an exported file may say of itself."""

from vidattn.export.about import About
from vidattn.preprocessing import Preprocessing, SamplingRule

PREPROCESSING = Preprocessing(SamplingRule("vidattn.data.StrideSampling", {"num_frames": 4}), 32, (0.1, 0.2, 0.3))
ABOUT = About(
    "classify", ["run", "jump"], PREPROCESSING, "divided", 4, 32, 48, 2, {"probabilities": "(batch, classes)"},
    {"size": 16}, opset=20, version="0.1", notes=["assumed"], licence="MIT",
)  # fmt: skip
