"""`vidattn explain`: what each patch of a clip looks at, as a page to explore."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from vidattn.classify.classifier import Classifier
from vidattn.classify.exploration_of import exploration_of
from vidattn.classify.show.page import card, escaped, page_html
from vidattn.classify.sources import One, expand
from vidattn.commands.options import Parser
from vidattn.commands.video_options import add_video_options, video_arguments
from vidattn.data.errors import VideoDecodeError
from vidattn.explain.explorer import ALL, MEAN, Exploration
from vidattn.mistakes import Mistake
from vidattn.writable import check_place

INDEX = "index.html"


def explain(words: list[str]) -> None:
    """Write a page for one video, or a folder of pages with an index for several.

    Leaves with status 1 where some video could not be read, 2 where nothing could be done.
    """
    options = _parser().parse_args(words)
    heads = heads_asked(options.heads)
    found = expand(options.files)
    if not found.videos:
        raise VideoDecodeError(*found.skipped[0])
    one = len(found.videos) == 1 and not found.skipped
    out = Path(options.save_html)
    if one and out.suffix.lower() not in (".html", ".htm"):
        raise Mistake(f"--save-html {out}: one video makes one page; choose a name that ends in .html")
    if not one and out.suffix:
        raise Mistake(f"--save-html {out}: {len(found.videos)} videos make a page each; name a folder")
    check_place(out, folder=not one)
    sources = [options.weights, *([] if options.compare is None else [options.compare])]
    classifiers = [Classifier.from_pretrained(source, **video_arguments(options)) for source in sources]
    if one:
        page = _explored(classifiers, found.videos[0], heads).save(out)
        size = page.stat().st_size / 1e6
        print(f"wrote {page}, {size:.2f} MB: open it in a browser, no network is needed")
        return
    _folder(out, classifiers, found.videos, heads, found.skipped)


def heads_asked(words: str) -> str | list[int]:
    """`mean`, `all`, or numbers.

    Raises:
        ValueError: it is none of these.

    >>> heads_asked("0,3"), heads_asked("all")
    ([0, 3], 'all')
    """
    if words in (MEAN, ALL):
        return words
    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise Mistake(f"--heads {words}: wanted mean, all, or numbers such as 0,3") from None


def _explored(classifiers: Sequence[Classifier], video: One, heads: str | list[int]) -> Exploration:
    """The page of one video, of one classifier or of two side by side."""
    first, *others = (exploration_of(classifier, video, heads) for classifier in classifiers)
    for other in others:
        first = first.beside(other)
    return first


def _folder(
    out: Path,
    classifiers: Sequence[Classifier],
    videos: Sequence[One],
    heads: str | list[int],
    skipped: Sequence[tuple[str, str]],
) -> None:
    """A page for each video, and an index of cards that lead to them."""
    console = Console(stderr=True)
    cards, missed = [], list(skipped)
    shown = track(videos, "Exploring", console=console, disable=not console.is_terminal, transient=True)
    for number, video in enumerate(shown):
        try:
            exploration = _explored(classifiers, video, heads)
        except VideoDecodeError as error:
            missed.append((error.path, error.reason))
            continue
        name = f"{number:04d}_{Path(str(video)).stem}.html"
        exploration.save(out / name)
        cards.append(_card(name, exploration))
    for path, reason in missed:
        print(f"vidattn explain: {path}: {reason}", file=sys.stderr)
    if cards:
        (out / INDEX).write_text(page_html("What looks where", cards), encoding="utf-8")
        print(f"wrote {len(cards)} pages and {out / INDEX}")
    if missed:
        sys.exit(1 if cards else 2)


def _card(name: str, exploration: Exploration) -> str:
    """The middle frame and the answers of a clip, which lead to its page."""
    model = exploration.models[0]
    frame = model["frames"][len(model["frames"]) // 2]
    said = ", ".join(f"{answer} {share:.1%}" for answer, share in model["answers"])
    body = (
        f'<a href="{escaped(name)}" style="display:flex;gap:14px;align-items:center;color:inherit">'
        f'<img src="{frame}" alt="" style="width:112px;border-radius:4px"><span>{escaped(said)}</span></a>'
    )
    return card(model["title"], body)


def _parser() -> Parser:
    parser = Parser(
        "vidattn explain",
        description="What does each patch of the middle clip look at, in each step of each block? A page that stands "
        "alone: move over a patch, and every frame shows how much it looks there.",
        epilog="status: 0 all read, 1 some video could not be, 2 nothing could be done.",
    )
    add_video_options(parser)
    add = parser.add_argument
    add("--save-html", required=True, metavar="PAGE", help="the page; for several videos a folder of pages")
    add("--heads", default=MEAN, help="beside the mean: all, or numbers such as 0,3; more heads, a larger page")
    add("--compare", metavar="SOURCE", help="other weights, for the same clip, side by side and linked")
    return parser
