import torch
from small import bright, bright_clips, needs_torchao

from vidattn.bench.sensitivity import sensitivity
from vidattn.models.normalize import NORMALIZATIONS, Normalize
from vidattn.quantization import chosen_layers

NORMALIZE = Normalize(*NORMALIZATIONS["timesformer"])


@needs_torchao
def test_layers_are_tried_one_by_one_and_the_network_is_as_before():
    names, clips = chosen_layers(bright()), NORMALIZE(bright_clips(6)[0])
    with torch.no_grad():
        before = bright()(clips)
        found = {kind: sensitivity(bright(), kind, names, clips, batch_size=4) for kind in ("int8", "int4-weights")}
        assert torch.equal(bright()(clips), before)
    assert list(found["int8"]) == names
    assert all(0 < value < 0.5 for value in found["int8"].values())
    assert sum(found["int4-weights"].values()) > 3 * sum(found["int8"].values())
