"""All views of listed videos, as a network is shown them, in batches."""

from collections.abc import Sequence

from torch.utils.data import DataLoader

from vidattn.classify.preparation import Preparation
from vidattn.data.clips.dataset import TestViews
from vidattn.data.clips.items import collate
from vidattn.data.readers.opening import VideoOpener
from vidattn.data.videos.manifest import Video


def listed_views(
    videos: Sequence[Video], preparation: Preparation, reader: str, batch_size: int, workers: int = 0
) -> DataLoader:
    """Batches as `vidattn.data.clips.items` has them, all views of a video in one; who cannot be read is `skipped`.

    Args:
        videos: the parts of files that are meant; a batch's `video_id` counts them.
        preparation: which frames make a clip, how many clips and crops, and at what size.
        reader: "pyav", "decord", "torchcodec" or "torchcodec_cuda".
        batch_size: clips in a batch, about; at least those of a video.
        workers: processes that decode; 0 decodes in this one.
    """
    clips, crops = preparation.num_clips, preparation.num_crops
    views = TestViews(videos, preparation.sampling, clips, crops, preparation.image_size, VideoOpener(reader), "skip")
    views.crops = preparation.crops
    return DataLoader(views, max(1, batch_size // (clips * crops)), collate_fn=collate, num_workers=workers)
