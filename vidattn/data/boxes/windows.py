"""Which clips of a video are evaluated: those that answer for each of its frames once."""

from collections.abc import Sequence
from typing import NamedTuple

NO_ANSWER = -1


class Window(NamedTuple):
    """A clip of a video.

    Args:
        video: its place in the list.
        frames: T numbers within the file.
        answers: T numbers: the frame that the clip answers for, -1 where it answers for none.
    """

    video: int
    frames: tuple[int, ...]
    answers: tuple[int, ...]


def windows(
    video: int, wanted: Sequence[int], first: int, stop: int, num_frames: int, stride: int, asked: Sequence[int]
) -> list[Window]:
    """Clips that answer for each wanted frame exactly once.

    Each clip begins so that its first asked place is the first wanted frame that has no answer yet; near the end it
    begins earlier, so that it does not leave the video. Where that cannot be, the edges repeat.

    >>> windows(0, range(5), 0, 5, num_frames=3, stride=1, asked=[0, 1, 2])[1]
    Window(video=0, frames=(2, 3, 4), answers=(-1, 3, 4))
    >>> windows(0, [0, 9], 0, 10, num_frames=3, stride=2, asked=[1])
    [Window(video=0, frames=(0, 0, 2), answers=(-1, 0, -1)), Window(video=0, frames=(7, 9, 9), answers=(-1, 9, -1))]

    Args:
        video: its place in the list.
        wanted: frames to answer for; those outside the video are passed over.
        first: first frame of the video, or of the segment that is meant.
        stop: one past the last.
        num_frames: frames in a clip, T.
        stride: distance between neighbours in a clip, in frames.
        asked: places within the clip that are answered for, from 0, ascending.
    """
    open_frames = sorted({frame for frame in wanted if first <= frame < stop})
    left, found = set(open_frames), []
    for frame in open_frames:
        if frame not in left:
            continue
        start = frame - asked[0] * stride
        last = start + asked[-1] * stride
        if last >= stop:  # earlier, by whole strides: so that this frame stays one that is asked
            places = [place for place in asked if frame + (asked[-1] - place) * stride < stop]
            start = frame - (places[0] if places else asked[-1]) * stride
            if start + asked[0] * stride < first:
                start = frame - asked[0] * stride
        numbers = [start + place * stride for place in range(num_frames)]
        answers = [NO_ANSWER] * num_frames
        for place in asked:
            if numbers[place] in left:
                answers[place] = numbers[place]
                left.discard(numbers[place])
        clamped = tuple(min(max(number, first), stop - 1) for number in numbers)
        found.append(Window(video, clamped, tuple(answers)))
    return found
