"""Figures of `vidattn compare`."""

from matplotlib.figure import Figure

from vidattn.cli import main
from vidattn.commands.compare_figures import growth


def test_of_two_schemes_it_is_marked_where_one_becomes_the_cheaper():
    rows = [
        {"frames": frames, "size": size, "attention": scheme, "gmacs": float(frames)}
        for size in (112, 224)
        for frames in (4, 16)
        for scheme in ("joint", "divided")
    ]
    point = {"cheaper": "divided", "dearer": "joint", "axis": "frames", "always": False}
    points = [point | {"at": "112 px", "beyond": 42}, point | {"at": "224 px", "beyond": 11}]
    small, large = growth(rows, "frames", "size", "GMACs of {} px", "title", points).axes
    assert "divided costs less\nfrom 11 frames" in [text.get_text() for text in large.texts]
    assert not any("costs less" in text.get_text() for text in small.texts)  # 42 frames are not drawn


def test_figures_have_the_last_name_of_an_import_path(tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        "vidattn.commands.compare_figures.plot_cost_shares", lambda panels, *_: titles.append(panels) or Figure()
    )
    spec = "time+vidattn.attention.image.cbam.CBAM"
    main(["compare", spec, "--preset", "Ti", "--size", "32", "--out", str(tmp_path)])
    assert [*titles[0]["8x32"]] == ["time+CBAM"]
