"""Networks as files that other programs run: pixels in, named answers out, for PyTorch (.pt2) and ONNX."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.export.about import About as About
    from vidattn.export.exported import ExportedNetwork as ExportedNetwork, read_exported as read_exported
    from vidattn.export.graphs import (
        DetectionGraph as DetectionGraph,
        FeatureGraph as FeatureGraph,
        Graph as Graph,
        ProbabilityGraph as ProbabilityGraph,
    )
    from vidattn.export.write import Written as Written, write_exported as write_exported

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.export.about": ["About"],
        "vidattn.export.exported": ["ExportedNetwork", "read_exported"],
        "vidattn.export.graphs": ["DetectionGraph", "FeatureGraph", "Graph", "ProbabilityGraph"],
        "vidattn.export.write": ["Written", "write_exported"],
    },
)
