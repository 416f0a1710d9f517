import torch

from vidattn.data.made.images import SHAPES, draw_shapes


def test_the_same_seed_gives_the_same_images_and_another_seed_others():
    images, labels = draw_shapes(8, size=24, seed=3)
    assert images.shape == (8, 3, 24, 24)
    torch.testing.assert_close(draw_shapes(8, size=24, seed=3), (images, labels), rtol=0, atol=0)
    assert not torch.equal(draw_shapes(8, size=24, seed=4)[0], images)


def test_pixels_without_their_places_do_not_tell_the_class():
    """A linear classifier of the sorted brightness stays far below the 90% that a network reaches."""
    images, labels = draw_shapes(4000)
    bags = images.mean(1).flatten(1).sort(1).values
    bags = torch.cat((bags, torch.ones(4000, 1)), dim=1)
    targets = torch.nn.functional.one_hot(labels, len(SHAPES)).float()
    ridge = 1e-1 * torch.eye(bags.shape[1])
    weights = torch.linalg.solve(bags[:3000].mT @ bags[:3000] + ridge, bags[:3000].mT @ targets[:3000])
    accuracy = ((bags[3000:] @ weights).argmax(1) == labels[3000:]).float().mean()
    assert accuracy < 0.6


def test_every_class_comes_about_equally_often():
    counts = draw_shapes(2000, size=8)[1].bincount(minlength=len(SHAPES))
    assert counts.min() > 0.8 * 2000 / len(SHAPES)
