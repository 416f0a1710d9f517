from vidattn.wording import did_you_mean, nearest_word


def test_the_nearest_word_is_found_whatever_its_case():
    assert nearest_word("timesformer", ["TimeSformer", "ViViT"]) == "TimeSformer"
    assert nearest_word("xyz", ["TimeSformer"]) is None
    assert nearest_word("abcd", ["abxy"], cutoff=0.5) == "abxy"


def test_where_nothing_is_near_the_choices_may_be_said():
    assert did_you_mean("xyz", ["a", "b"], "; choose a or b") == "; choose a or b"
