"""What an exported file may say of itself."""

from vidattn.calibration.calibration import Calibration, Threshold
from vidattn.export.about import About
from vidattn.preprocessing import Preprocessing, SamplingRule

PREPROCESSING = Preprocessing(SamplingRule("vidattn.data.StrideSampling", {"num_frames": 4}), 32, (0.1, 0.2, 0.3))
ABOUT = About(
    task="classify",
    class_names=["run", "jump"],
    preprocessing=PREPROCESSING,
    scheme="divided",
    num_frames=4,
    height=32,
    width=48,
    num_classes=2,
    outputs={"probabilities": "(batch, classes)"},
    dynamic={"size": 16},
    opset=20,
    version="0.1",
    notes=["assumed"],
    licence="MIT",
    calibration=Calibration(1.5, threshold=Threshold(0.6, 0.05, 20)),
)
