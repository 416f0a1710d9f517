"""Diving48 V2 (http://www.svcl.ucsd.edu/projects/resound/dataset.html): `Diving48_V2_train.json` and its vocabulary."""

import os
from pathlib import Path

from vidattn.data.lists.row import Listing, Row, bad_rows, parse_json
from vidattn.data.lists.text import read_text
from vidattn.data.segment import Segment

VOCABULARY = "Diving48_vocab.json"


def read(source: Path, text: str, root: Path) -> Listing:
    """`[{"vid_name": "-mmq0PT-u8k_00155", "label": 0, "start_frame": 0, "end_frame": 48}]`; clips are `{vid_name}.mp4`.

    Classes are named by `Diving48_vocab.json` where it lies beside the list: "Back 15som 05Twis FREE".
    """
    rows, bad = [], []
    for number, entry in enumerate(parse_json(source, text), start=1):
        where = f"entry {number}: {entry!r}"
        try:
            first, last = int(entry["start_frame"]), int(entry["end_frame"])
            path = os.path.join(root, f"{entry['vid_name']}.mp4")
            row = Row(where, path, (str(int(entry["label"])),), Segment(start_frame=first, end_frame=last))
        except (KeyError, TypeError, ValueError):
            bad.append(where)
            continue
        rows.append(row)
        if not 0 <= first < last:
            bad.append(where)
    if bad:
        raise bad_rows(source, bad, '`{"vid_name": ..., "label": ..., "start_frame": 0, "end_frame": 48}`')
    vocabulary = source.parent / VOCABULARY
    return Listing(rows, class_names(vocabulary) if vocabulary.is_file() else None)


def class_names(path: Path) -> list[str]:
    """`[["Back", "15som", "05Twis", "FREE"], ...]` as names."""
    return [" ".join(words) for words in parse_json(path, read_text(path))]
