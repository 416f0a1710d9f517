"""The table that is kept has a row for all that there is."""

import csv
from pathlib import Path

from vidattn.attention.scheme import ALIASES, STEPS
from vidattn.export.cases import FAMILIES, STAGES, cases
from vidattn.export.table import COLUMNS
from vidattn.export.write import LIMIT
from vidattn.models.presets import FIXED, PRESETS
from vidattn.models.readout_table import READOUTS

TABLE = Path(__file__).parents[2] / "notebooks" / "export.csv"


def named(*kinds):
    return {case.name for case in cases() if case.kind in kinds}


def test_every_scheme_image_block_and_read_out_is_a_case():
    spelt = {f"{alias} = {scheme}" for alias, scheme in ALIASES.items()}
    assert named("scheme", "image block") == {*STEPS, *spelt, "space>time(1)"}
    assert named("read-out") == set(READOUTS)


def test_every_family_of_presets_is_a_case():
    families = {name.split("-")[0] for name in (*FAMILIES, *STAGES, *FIXED)}
    sizes_of_timesformer = {"Ti", "S", "B", "L"}
    assert {name.split("-")[0] for name in PRESETS} - sizes_of_timesformer <= families


def test_the_table_that_is_kept_is_of_these_cases_and_refuses_with_a_reason():
    with open(TABLE, newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["kind"], row["name"]) for row in rows] == [(case.kind, case.name) for case in cases()]
    for row in rows:
        assert row["refused"] or max(float(row["pt2"]), float(row["onnx"])) <= LIMIT
