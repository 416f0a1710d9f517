import torch

from vidattn.data.clips.items import collate, empty_item, item
from vidattn.data.errors import PassingError, VideoDecodeError
from vidattn.data.videos.manifest import Video


def test_a_batch_joins_views_and_tells_broken_files_from_passing_trouble():
    views = [torch.full((4, 3, 8, 8), i, dtype=torch.uint8) for i in range(2)]
    whole = item(views, {"label": torch.tensor([5, 5])}, Video("a.mp4", 5), 7, [])
    skipped = [("b.mp4", VideoDecodeError("b.mp4", "cut")), ("c.mp4", PassingError("c.mp4", "no memory"))]
    empty = empty_item(4, 8, {"label": torch.empty(0, dtype=torch.int64)}, skipped)

    batch = collate([whole, empty])

    assert batch["video"].shape == (2, 3, 4, 8, 8)
    assert batch["label"].tolist() == [5, 5]
    assert batch["video_id"].tolist() == [7, 7]
    assert batch["view"].tolist() == [0, 1]
    assert batch["path"] == ["a.mp4"]
    assert [path for path, _ in batch["skipped"]] == ["b.mp4", "c.mp4"]
    assert batch["broken"] == ["b.mp4"]
