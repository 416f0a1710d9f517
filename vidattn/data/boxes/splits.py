"""The boxes of a run: each split's, read once, with the same classes in all of them."""

from collections.abc import Callable, Sequence
from functools import cached_property

from vidattn.data.boxes.box_list import BoxList
from vidattn.data.boxes.section import Boxes
from vidattn.data.boxes.split import BoxSplit
from vidattn.data.boxes.target import PeopleOfClip
from vidattn.data.boxes.views import WindowViews
from vidattn.data.clips.dataset import OnError
from vidattn.data.clips.key_frames import KeyFrameSampling
from vidattn.data.clips.sampling import Sampler
from vidattn.data.readers.opening import Opener
from vidattn.data.videos.splits import Split, Splits
from vidattn.mistakes import Mistake


class BoxSplits:
    """What `VideoDataModule` asks where it has boxes.

    Args:
        section: the lists.
        videos: of each split.
        opener: makes one, for a file whose list does not tell all.
        sampling: which frames make a clip.
        warn: takes what is to be said.

    Raises:
        Mistake: key frames are wanted, and the sampling does not put them in the middle.
    """

    def __init__(
        self,
        section: Boxes,
        videos: Splits,
        opener: Callable[[], Opener],
        sampling: Sampler,
        warn: Callable[[str], object],
    ) -> None:
        if section.key_frames and not isinstance(sampling, KeyFrameSampling):
            raise Mistake(
                f"data.boxes.key_frames needs clips whose middle is the key frame, and data.sampling is "
                f"{type(sampling).__name__}; set it to vidattn.data.KeyFrameSampling"
            )
        self.section = section
        self.videos = videos
        self.opener = opener
        self.sampling = sampling
        self.warn = warn
        self._splits: dict[Split, BoxSplit] = {}

    @classmethod
    def of(
        cls,
        section: Boxes,
        videos: Splits,
        opener: Callable[[], Opener],
        sampling: Sampler,
        warn: Callable[[str], object],
    ) -> "BoxSplits | None":
        """As the constructor; None where no list is given."""
        return cls(section, videos, opener, sampling, warn) if section.file else None

    @cached_property
    def boxes(self) -> BoxList:
        """All rows of all lists."""
        return self.section.read(self.videos.root, self.videos.given_names, self.warn)

    @property
    def class_names(self) -> list[str]:
        """Names in the order of their numbers: those that were given, the list's own, or the sorted labels."""
        given = self.videos.given_names  # of a set that is made they are known before its list is written
        return self.boxes.class_names if given is None else list(given)

    def split(self, split: Split) -> BoxSplit:
        """The boxes of a split, with a warning where videos have none.

        Raises:
            ValueError: none of its videos has any.
        """
        if split not in self._splits:
            videos = self.videos.manifest(split).videos
            if split != "predict" and (said := self.boxes.check_matches(f"data.{split}", videos)):
                self.warn(said)
            self._splits[split] = BoxSplit(videos, self.boxes, self.opener(), self.section.key_frames)
        return self._splits[split]

    def evaluated(
        self, split: Split, image_size: int, opener: Opener, on_error: OnError, asked: Sequence[int] | None
    ) -> WindowViews:
        """The clips that answer for each frame of a split; see `WindowViews` and `BoxSplit.windows`."""
        there = self.split(split)
        windows = there.windows(self.sampling, asked)
        return WindowViews(there.videos, windows, image_size, self.target(split), opener, on_error)

    def target(self, split: Split) -> PeopleOfClip:
        """Who is in the clips of a split."""
        there = self.split(split).of_video
        return PeopleOfClip(there, len(self.class_names), self.section.least, self.section.key_frames)
