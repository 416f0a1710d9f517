"""What a teacher is shown, and in which precision it answers."""

import pytest
import torch
import torch.nn.functional as F
from taught import clips, learn

from vidattn.training.distil import Distillation
from vidattn.training.lessons import TeachFeatures, TeachLogits
from vidattn.training.map_lesson import TeachMaps


def test_a_teacher_in_bf16_teaches_almost_the_same(taught_by):
    module = taught_by(lessons=(TeachLogits(), TeachMaps(), TeachFeatures()))
    exact, _ = learn(module)
    rough = Distillation(module.config, module.teacher.source, module.lessons, teacher_dtype="bfloat16")
    rough.load_state_dict(module.state_dict())
    assert rough.taught(rough.normalize(clips())).logits.dtype == torch.bfloat16
    parts, gradients = learn(rough)
    assert parts == pytest.approx(exact, rel=0.1)
    assert all(gradient.dtype == torch.float32 for gradient in gradients.values())


def test_the_teacher_sees_the_same_clip_by_its_own_normalisation_frames_and_size(taught_by):
    module = taught_by(num_frames=2, image_size=16)
    assert torch.equal(module.normalize.mean, module.teacher.normalize.mean)  # where nobody says another
    module = Distillation(module.config, module.teacher.source, normalization="imagenet")
    seen = module.teacher.see(module.normalize(clips()), module.normalize)
    pixels = clips()[:, :, [1, 3]].float() / 255
    wanted = (
        F.interpolate(
            pixels.transpose(1, 2).flatten(0, 1), (16, 16), mode="bilinear", antialias=True, align_corners=False
        )
        .unflatten(0, (2, 2))
        .transpose(1, 2)
    )
    mean, std = (torch.tensor(three).view(3, 1, 1, 1) for three in ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))
    torch.testing.assert_close(seen, (wanted - mean) / std, atol=1e-5, rtol=1e-4)
    more = taught_by(num_frames=8)
    assert torch.equal(
        more.teacher.see(seen, more.normalize)[:, :, ::4], more.teacher.see(seen, more.normalize)[:, :, 3::4]
    )
