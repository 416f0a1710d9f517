"""What a user's own videos take: bytes a second, and a core's time to decode and transform a clip."""

import os
import statistics
import time
from typing import NamedTuple

import torch

from vidattn.data.clips.dataset import TrainClips
from vidattn.data.clips.sampling import Sampler
from vidattn.data.clips.transforms import default_train_transforms
from vidattn.data.readers import open_video
from vidattn.data.videos.manifest import Video
from vidattn.mistakes import Mistake


class Sample(NamedTuple):
    """Attributes:
    clips_per_core: in a second of CPU time, transforms included.
    bytes_per_second: of video.
    """

    clips_per_core: float
    bytes_per_second: float


def measure_sample(videos: list[Video], sampling: Sampler, size: int, rounds: int = 3) -> Sample:
    """Read a training clip of each video, `rounds` times and once before; the medians, on one core.

    Raises:
        ValueError: the videos are not files.
        VideoDecodeError: one of them does not decode.
    """
    if not videos or not all(os.path.isfile(video.path) for video in videos):
        raise Mistake("--sample wants video files, or a list or folder of them, not shards and not folders of pictures")
    clips = TrainClips(videos, sampling, default_train_transforms(size), size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    try:
        for _ in range(rounds + 1):
            began = time.process_time()
            for number in range(len(videos)):
                clips[number]
            seconds.append(time.process_time() - began)
    finally:
        torch.set_num_threads(threads)
    length = 0.0
    for video in videos:
        with open_video(video.path) as file:
            length += file.num_frames / file.fps
    size_of_all = sum(os.path.getsize(video.path) for video in videos)
    return Sample(len(videos) / max(statistics.median(seconds[1:]), 1e-6), size_of_all / length)
