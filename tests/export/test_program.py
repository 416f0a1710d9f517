import pytest
import torch

from vidattn.export.cases import TINY, _changed
from vidattn.export.program import traced
from vidattn.mistakes import Mistake


def graph(**changes):
    return _changed("", "", **changes).build().eval()


def test_lengths_and_sizes_can_be_open_with_tables_that_are_resized():
    net = graph(attention="divided", position="space+time")
    program, _, _ = traced(net, (4, 32, 32), {"frames": 1, "size": 8}, "divided")
    for shape in ((1, 3, 4, 32, 32), (3, 3, 7, 40, 24)):
        clips = torch.randint(256, shape, dtype=torch.uint8)
        with torch.no_grad():
            wanted = net(clips)["probabilities"]
        torch.testing.assert_close(program.module()(clips)["probabilities"], wanted, rtol=1e-4, atol=1e-5)


def test_a_scheme_that_depends_on_the_length_says_so():
    with pytest.raises(Mistake, match=r"window cannot be exported with frames open: .* leave out frames"):
        traced(graph(attention="window(2,3,3)"), (TINY.num_frames, 32, 32), {"frames": 1}, "window")
