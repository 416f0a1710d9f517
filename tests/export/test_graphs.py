"""A graph is compiled once for clips of any batch and length. Of the dearer schemes (tens of seconds each, for torch's
reasoning about sizes) the global step and MViT's were measured by hand: twice."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from vidattn.export.cases import cases

ALL = {case.name: case for case in cases()}


@pytest.mark.parametrize("name", ["joint", "linear"])
def test_other_batches_and_lengths_need_no_other_compilation(name):
    torch._dynamo.reset()
    counter = CompileCounter()  # compiles nothing: what it was given is run as it is
    graph = ALL[name].build().eval()
    compiled = torch.compile(graph, backend=counter, fullgraph=True, dynamic=True)
    for batch, frames in ((2, 4), (3, 4), (5, 8), (2, 8)):
        clips = torch.randint(256, (batch, 3, frames, 32, 32), dtype=torch.uint8)
        with torch.no_grad():
            torch.testing.assert_close(compiled(clips)["probabilities"], graph(clips)["probabilities"])
    assert counter.frame_count <= 2
