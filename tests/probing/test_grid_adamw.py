import torch

from vidattn.probing.grid_adamw import GridAdamW


def test_each_model_moves_as_under_torchs_adamw_with_its_own_numbers():
    generator = torch.Generator().manual_seed(0)
    rates, decays = [0.1, 0.01, 0.3], [0.0, 0.5, 0.1]
    ours = torch.randn(3, 4, 5, generator=generator)
    theirs = [ours[model].clone().requires_grad_() for model in range(3)]
    optimizers = [
        torch.optim.AdamW([weight], lr=lr, weight_decay=decay)
        for weight, lr, decay in zip(theirs, rates, decays, strict=True)
    ]
    grid = GridAdamW(ours, rates, decays)

    for factor in (1.0, 0.7, 0.2, 0.9):
        gradient = torch.randn(ours.shape, generator=generator)
        grid.step(gradient, factor)
        for model, optimizer in enumerate(optimizers):
            optimizer.param_groups[0]["lr"] = rates[model] * factor
            theirs[model].grad = gradient[model].clone()
            optimizer.step()

    torch.testing.assert_close(ours, torch.stack(theirs).detach(), rtol=1e-6, atol=1e-6)
