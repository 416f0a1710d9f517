"""From a video file to a batch of clips."""

from typing import TYPE_CHECKING

from vidattn.public import hand_on

if TYPE_CHECKING:  # for mypy and editors, which know no table
    from vidattn.data.boxes.people import People as People
    from vidattn.data.boxes.section import Boxes as Boxes
    from vidattn.data.boxes.transforms import (
        RandomPart as RandomPart,
        default_box_transforms as default_box_transforms,
    )
    from vidattn.data.clips.balance import ClassBalanced as ClassBalanced, Weighted as Weighted
    from vidattn.data.clips.frame_cache import FrameCache as FrameCache
    from vidattn.data.clips.key_frames import KeyFrameSampling as KeyFrameSampling
    from vidattn.data.clips.sampling import (
        OfficialSampling as OfficialSampling,
        Sampler as Sampler,
        SecondsSampling as SecondsSampling,
        StrideSampling as StrideSampling,
        UniformSampling as UniformSampling,
        VideoTimes as VideoTimes,
    )
    from vidattn.data.clips.target import (
        ClassLabel as ClassLabel,
        ClassLabels as ClassLabels,
        TargetEncoder as TargetEncoder,
    )
    from vidattn.data.clips.transforms import (
        ShortSide as ShortSide,
        ShortSideJitter as ShortSideJitter,
        SpatialCrops as SpatialCrops,
        default_train_transforms as default_train_transforms,
    )
    from vidattn.data.datamodule import VideoDataModule as VideoDataModule
    from vidattn.data.errors import VideoDecodeError as VideoDecodeError
    from vidattn.data.made.actions import ActionsSet as ActionsSet
    from vidattn.data.made.videos import (
        AppearanceSet as AppearanceSet,
        MotionSet as MotionSet,
        SyntheticSet as SyntheticSet,
    )
    from vidattn.data.readers import READERS as READERS, VideoReader as VideoReader, open_video as open_video
    from vidattn.data.sections import Decoding as Decoding, Lists as Lists, Loading as Loading, Views as Views
    from vidattn.data.videos.few_labels import FewLabels as FewLabels
    from vidattn.data.videos.manifest import (
        Manifest as Manifest,
        ManifestError as ManifestError,
        Video as Video,
        read_manifest as read_manifest,
        write_manifest as write_manifest,
    )
    from vidattn.data.write_video import write_mp4 as write_mp4

__all__, __getattr__, __dir__ = hand_on(
    __name__,
    {
        "vidattn.data.boxes.people": ["People"],
        "vidattn.data.boxes.section": ["Boxes"],
        "vidattn.data.boxes.transforms": ["RandomPart", "default_box_transforms"],
        "vidattn.data.clips.balance": ["ClassBalanced", "Weighted"],
        "vidattn.data.clips.frame_cache": ["FrameCache"],
        "vidattn.data.clips.key_frames": ["KeyFrameSampling"],
        "vidattn.data.clips.sampling": [
            "OfficialSampling",
            "Sampler",
            "SecondsSampling",
            "StrideSampling",
            "UniformSampling",
            "VideoTimes",
        ],
        "vidattn.data.clips.target": ["ClassLabel", "ClassLabels", "TargetEncoder"],
        "vidattn.data.clips.transforms": ["ShortSide", "ShortSideJitter", "SpatialCrops", "default_train_transforms"],
        "vidattn.data.datamodule": ["VideoDataModule"],
        "vidattn.data.errors": ["VideoDecodeError"],
        "vidattn.data.made.actions": ["ActionsSet"],
        "vidattn.data.made.videos": ["AppearanceSet", "MotionSet", "SyntheticSet"],
        "vidattn.data.sections": ["Decoding", "Lists", "Loading", "Views"],
        "vidattn.data.readers": ["READERS", "VideoReader", "open_video"],
        "vidattn.data.videos.few_labels": ["FewLabels"],
        "vidattn.data.videos.manifest": ["Manifest", "ManifestError", "Video", "read_manifest", "write_manifest"],
        "vidattn.data.write_video": ["write_mp4"],
    },
)
