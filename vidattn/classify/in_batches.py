"""Many videos, one after the other, through a network in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast

from vidattn.classify.clip_views import ClipViews
from vidattn.classify.sources import One, Skipped, name_of
from vidattn.data.errors import VideoDecodeError
from vidattn.mistakes import Mistake

Answer = TypeVar("Answer")


def in_batches(
    videos: Iterable[One],
    views: Callable[[One], ClipViews],
    answer: Callable[[list[ClipViews]], Sequence[Answer]],
    batch_size: int,
) -> Iterator[Answer | Skipped]:
    """The answers about many videos, in their order, as soon as each is ready; a file that cannot be read is `Skipped`.

    Args:
        videos: one after the other; nothing of what has been answered is kept.
        views: reads one video.
        answer: several videos -> an answer for each.
        batch_size: views that wait for one another.

    Raises:
        ValueError: `videos` is one video: a path, bytes or a stream; or as `views` and `answer`.
    """
    if isinstance(videos, (str, Path, bytes, bytearray, memoryview)) or hasattr(videos, "read"):
        raise Mistake(f"{name_of(cast(One, videos))} is one video; stream takes many: give a list")
    waiting: list[ClipViews | Skipped] = []
    for video in videos:
        try:
            waiting.append(views(video))
        except VideoDecodeError as error:
            waiting.append(Skipped(name_of(video), error.reason))
        if sum(len(one.video) for one in waiting if isinstance(one, ClipViews)) >= batch_size:
            yield from _in_order(waiting, answer)
            waiting = []
    yield from _in_order(waiting, answer)


def _in_order(
    waiting: Sequence[ClipViews | Skipped], answer: Callable[[list[ClipViews]], Sequence[Answer]]
) -> Iterator[Answer | Skipped]:
    answers = iter(answer([views for views in waiting if isinstance(views, ClipViews)]))
    for one in waiting:
        yield one if isinstance(one, Skipped) else next(answers)
