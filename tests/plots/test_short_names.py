from vidattn.plots.short_names import short_names


def test_import_paths_lose_their_packages_unless_two_would_be_one():
    schemes = ["space|time", "window(8,7,7)", "time+my.own.Block", "one.Mine(0.5)", "other.Mine(0.5)"]
    assert list(short_names(schemes).values()) == [
        "space|time", "window(8,7,7)", "time+Block", "one.Mine(0.5)", "other.Mine(0.5)",
    ]  # fmt: skip
