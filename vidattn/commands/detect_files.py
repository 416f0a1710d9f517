"""The files that `vidattn detect` writes."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from vidattn.classify.detector import Detector
from vidattn.classify.show.film import check_film, write_film
from vidattn.classify.show.page import list_html, page_html
from vidattn.classify.sources import One
from vidattn.classify.video_detections import VideoDetections, write_csv, write_json
from vidattn.commands.output_files import check_output, write_output
from vidattn.explain.query_looks import check_picture
from vidattn.mistakes import Mistake

COMMAND = "vidattn detect"
Missed = Sequence[tuple[str, str]]


def check_files(options: Namespace, videos: Sequence[One]) -> None:
    """Say before anything runs that a file could not be written, or would be written twice.

    Raises:
        Mistake: it could not.
    """
    if options.film:
        check_film(options.film)
    if options.look:
        check_picture(options.look)
    for file, what in ((options.film, "film"), (options.look, "picture")):
        names = [] if file is None else [of_video(file, video, len(videos)) for video in videos]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise Mistake(f"{twice}: would be the {what} of several videos of this name; detect them one by one")
    files = ((options.csv, ".csv"), (options.json, ".json"), (options.html, ".html"), (options.film,), (options.look,))
    for file, *endings in files:
        check_output(file, *endings)


def of_video(file: Path, video: One, count: int) -> Path:
    """The file itself for a single video; for several one beside it with the video's name."""
    return file if count == 1 else file.with_name(f"{file.stem}-{Path(str(video)).stem}{file.suffix}")


def write_pictures(options: Namespace, video: One, count: int, found: VideoDetections, detector: Detector) -> bool:
    """The film of one video, and the picture of what queries looked at where its surest tube is; whether all that is
    asked for could be written. What could not is said."""

    def film(file: Path) -> None:
        write_film(file, video, found)

    def look(file: Path) -> None:
        frame = int(found.tubes[0].frames[len(found.tubes[0].frames) // 2]) if found.tubes else None
        detector.look(video, frame).save(file)

    wanted = ((options.film, film), (options.look, look))
    named = [(file and of_video(file, video, count), write) for file, write in wanted]
    return write_output(COMMAND, named)


def write_lists(options: Namespace, done: Sequence[VideoDetections], skipped: Missed) -> bool:
    """CSV, JSON and the page of all videos; whether all that is asked for could be written."""

    def page(file: Path) -> None:
        cards = list_html([one.to_html() for one in done], skipped)
        file.write_text(page_html(f"Who does what, where: found by {options.weights}", [cards]), encoding="utf-8")

    files = (
        (options.csv, lambda file: write_csv(file, done)),
        (options.json, lambda file: write_json(file, done, skipped)),
        (options.html, page),
    )
    return write_output(COMMAND, files)
