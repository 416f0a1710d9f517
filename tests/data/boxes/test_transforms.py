import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from vidattn.data.boxes.transforms import RandomPart, WholePicture
from vidattn.mistakes import Mistake


def bright_box(height=60, width=80, box=(20, 15, 60, 45)):
    """A clip whose only bright pixels lie in the box."""
    clip = torch.zeros(2, 3, height, width, dtype=torch.uint8)
    x1, y1, x2, y2 = box
    clip[:, :, y1:y2, x1:x2] = 255
    return clip, tv_tensors.BoundingBoxes(
        torch.tensor([box], dtype=torch.float32), format="XYXY", canvas_size=(height, width), clamping_mode=None
    )


def around(clip):
    """The box around the bright pixels of the first frame."""
    rows, columns = torch.nonzero(clip[0, 0] > 127, as_tuple=True)
    return torch.tensor([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()


def test_the_whole_picture_is_one_view_and_boxes_lie_on_their_pixels():
    clip, boxes = bright_box()
    view = WholePicture(40)

    (square,), (moved,) = view.cut(view.strip(clip)), view.follow(boxes)

    assert square.shape == (2, 3, 40, 40)
    assert moved.canvas_size == (40, 40)
    torch.testing.assert_close(moved[0].as_subclass(torch.Tensor), around(square), atol=0.6, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_go_with_the_pixels_through_a_random_part_and_a_flip(seed):
    torch.manual_seed(seed)
    clip, boxes = bright_box()
    clip, boxes = tv_tensors.Image(clip), boxes
    for transform in (RandomPart(48), v2.RandomHorizontalFlip(0.5)):
        clip, boxes = transform(clip, boxes)

    assert clip.shape == (2, 3, 48, 48)
    inside = boxes[0].as_subclass(torch.Tensor).clamp(0, 48)
    torch.testing.assert_close(inside, around(clip), atol=1.1, rtol=0)


def test_parts_reach_from_the_least_to_the_whole_and_sides_are_drawn_apart():
    torch.manual_seed(0)
    part, picture = RandomPart(32, least=0.5), tv_tensors.Image(torch.zeros(1, 3, 100, 200))
    drawn = [part.make_params([picture]) for _ in range(300)]
    heights, widths = ([one[side] / whole for one in drawn] for side, whole in (("height", 100), ("width", 200)))

    for shares in (heights, widths):
        assert 0.5 <= min(shares) < 0.52
        assert 0.98 < max(shares) <= 1
    assert abs(torch.corrcoef(torch.tensor([heights, widths]))[0, 1]) < 0.2
    assert all(one["top"] + one["height"] <= 100 and one["left"] + one["width"] <= 200 for one in drawn)


def test_a_share_that_is_none_is_refused():
    with pytest.raises(Mistake, match="least=0"):
        RandomPart(32, least=0)
