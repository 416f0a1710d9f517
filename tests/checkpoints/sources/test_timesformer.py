import pytest

from vidattn.checkpoints.sources import huggingface, timesformer


@pytest.mark.parametrize("attention", ["divided", "joint", "space"])
def test_every_official_name_is_used_once(attention):
    """HF and the official code differ in names only, so the tables must have the same entries of ours."""
    official, hf = timesformer.SCHEMES[attention], huggingface.SCHEMES[attention]
    assert official.keys() == hf.keys()
    assert len(set(official.values())) == len(official)
