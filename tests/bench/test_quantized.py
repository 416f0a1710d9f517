import pytest
import torch
from small import bright, bright_clips, needs_torchao

from vidattn.bench.quantized import candidates, compared, machine
from vidattn.models.normalize import NORMALIZATIONS, Normalize
from vidattn.quantization import chosen_layers, measured_ranges
from vidattn.quantization.kinds import KINDS

NORMALIZE = Normalize(*NORMALIZATIONS["timesformer"])


@needs_torchao
def test_each_kind_has_a_row_with_what_it_answers_and_costs():
    names = chosen_layers(bright())
    ranges = measured_ranges(bright(), names, [NORMALIZE(bright_clips(8)[0])], "minmax")
    small = candidates(bright(), list(KINDS), names, ranges, "minmax")
    batches = [bright_clips(8), bright_clips(4)]
    rows = {row["kind"]: row for row in compared(small, batches, NORMALIZE, batch_sizes=(1, 2), rounds=1)}

    assert list(rows) == ["fp32", "bf16", *KINDS]
    truth = torch.cat([labels for _, labels in batches])
    with torch.no_grad():
        right = torch.cat([bright()(NORMALIZE(clips)).argmax(1) for clips, _ in batches]) == truth
    first = rows["fp32"]
    assert first["top1"] == pytest.approx(right.float().mean().item(), abs=1e-4)
    assert first["low"] < first["top1"] <= first["high"] <= 1
    assert first["agreement"] == 1
    size = sum(4 * one.numel() for one in bright().state_dict().values()) / 1e6
    assert first["megabytes"] == pytest.approx(size, abs=1e-3)
    assert rows["bf16"]["megabytes"] == pytest.approx(size / 2, abs=1e-3)
    assert rows["int4-weights"]["megabytes"] < rows["int8"]["megabytes"] < rows["bf16"]["megabytes"]
    for row in rows.values():
        assert row["agreement"] >= 11 / 12
        assert row["how"].partition(":")[0] in ("computed", "simulated")
        assert min(row["ms_1"], row["ms_2"], row["mib_1"], row["mib_2"]) > 0
    assert rows["fp8"]["how"].startswith("simulated")
    assert "int8-static" not in candidates(bright(), list(KINDS), names, None)


def test_the_machine_is_named():
    assert machine(torch.device("cpu")).endswith(("thread", "threads"))
