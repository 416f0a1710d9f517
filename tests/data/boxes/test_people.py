import torch
from pytorch_lightning.utilities import move_data_to_device

from vidattn.data.boxes.people import People


def test_lightning_moves_people_within_a_batch():
    people = People(torch.zeros(2, 4, 4), torch.ones(2, 4, dtype=torch.bool), torch.eye(2))

    moved = move_data_to_device({"people": [people, People.nobody(4, 2)]}, torch.device("meta"))

    assert [len(one) for one in moved["people"]] == [2, 0]
    assert {one.boxes.device.type for one in moved["people"]} == {"meta"}
    assert moved["people"][1].actions.shape == (0, 2)
