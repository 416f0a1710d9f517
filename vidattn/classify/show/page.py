"""Results as self-contained HTML: cards for notebooks, and whole pages."""

from collections.abc import Iterable, Sequence
from html import escape

from vidattn.classify.show.strip import Strip
from vidattn.wording import printable

_BORDER = "border:1px solid #8884;border-radius:8px;padding:10px 14px;margin:8px 0;max-width:980px"
_FONT = "font:14px/1.4 system-ui,sans-serif"


def prediction_html(path: str, top: Iterable[tuple[str, float]], strip: Strip, notes: Iterable[str]) -> str:
    """A card: bars of the likeliest classes beside the frames that the model saw.

    Args:
        path: the video.
        top: names and probabilities, likeliest first.
        strip: the frames.
        notes: sentences below.
    """
    bars = "".join(_bar(name, probability, first=place == 0) for place, (name, probability) in enumerate(top))
    table = f'<table style="border-collapse:collapse;flex:0 0 auto;{_FONT}">{bars}</table>'
    body = f'<div style="display:flex;flex-wrap:wrap;gap:18px;align-items:center">{table}{_strip(strip)}</div>'
    return card(path, body, notes)


def list_html(cards: Iterable[str], skipped: Iterable[tuple[str, str]]) -> str:
    """Cards below one another, and what could not be read below them."""
    missed = "".join(f"<li>{escaped(path)}: {escaped(reason)}</li>" for path, reason in skipped)
    if missed:
        missed = f'<div style="{_FONT};color:#b00020">Could not be read:<ul>{missed}</ul></div>'
    return f"<div>{''.join(cards)}{missed}</div>"


def card(title: str, body: str, notes: Iterable[str] = ()) -> str:
    """A frame with a title around `body` (HTML), and notes below."""
    below = "".join(f'<div style="opacity:.7;font-size:12px;margin-top:6px">{escaped(note)}</div>' for note in notes)
    return (
        f'<section style="{_BORDER};{_FONT}"><div style="font-weight:600;margin-bottom:8px;overflow-wrap:anywhere">'
        f"{escaped(title)}</div>{body}{below}</section>"
    )


def page_html(title: str, cards: Sequence[str]) -> str:
    """A whole page that opens in any browser, from disk, without a network.

    Args:
        title: of the page.
        cards: HTML of each part.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escaped(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<style>:root{color-scheme:light dark}body{margin:24px auto;max-width:1000px;padding:0 12px}</style></head>"
        f'<body><h1 style="font:600 20px system-ui,sans-serif">{escaped(title)}</h1>\n' + "\n".join(cards) + "\n"
        "</body></html>\n"
    )


def escaped(text: str) -> str:
    """As HTML that UTF-8 can hold."""
    return escape(printable(text))


def _bar(name: str, probability: float, first: bool) -> str:
    colour, weight = ("#2563eb", "600") if first else ("#93b4f5", "400")
    cell = "border:0;padding:2px 8px 2px 0;background:none"
    return (
        f'<tr style="background:none"><td style="{cell};text-align:right;font-weight:{weight};max-width:220px">'
        f'{escaped(name)}</td><td style="{cell};text-align:right;font-variant-numeric:tabular-nums">{probability:.1%}'
        f'</td><td style="{cell};width:130px;text-align:left"><div style="background:{colour};height:12px;'
        f'border-radius:3px;width:{max(1, round(130 * probability))}px"></div></td></tr>'
    )


def _strip(strip: Strip) -> str:
    """Pictures with their seconds below."""
    figures = "".join(
        f'<figure style="margin:0;text-align:center;font-size:11px"><img src="{uri}" alt="frame at {seconds:.2f} s" '
        'style="display:block;width:100%;max-width:128px;margin:0 auto;border-radius:3px">'
        f'<figcaption style="opacity:.7">{seconds:.2f} s</figcaption></figure>'
        for uri, seconds in zip(strip.data_uris(), strip.seconds, strict=True)
    )
    caption = ""
    if len(strip.jpegs) < strip.num_frames:
        caption = f'<div style="font-size:11px;opacity:.7">{len(strip.jpegs)} of {strip.num_frames} frames</div>'
    columns = f"grid-template-columns:repeat({min(8, len(strip.jpegs))},minmax(0,1fr))"
    pictures = f'<div style="display:grid;{columns};gap:4px">{figures}</div>'
    return f'<div style="flex:1 1 420px;min-width:0">{pictures}{caption}</div>'
