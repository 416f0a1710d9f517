import torch

from vidattn.probing.grid_adamw import GridAdamW


def test_each_model_moves_as_under_torchs_adamw_with_its_own_numbers():
    generator = torch.Generator().manual_seed(0)
    rates, decays = [0.1, 0.01, 0.3], [0.0, 0.5, 0.1]
    ours = [torch.randn(3, 4, 5, generator=generator), torch.randn(3, 4, generator=generator)]
    theirs = [[tensor[model].clone().requires_grad_() for tensor in ours] for model in range(3)]
    optimizers = [
        torch.optim.AdamW(tensors, lr=lr, weight_decay=decay)
        for tensors, lr, decay in zip(theirs, rates, decays, strict=True)
    ]
    grid = GridAdamW(ours, rates, decays)

    for factor in (1.0, 0.7, 0.2, 0.9):
        gradients = [torch.randn(tensor.shape, generator=generator) for tensor in ours]
        grid.step(gradients, factor)
        for model, optimizer in enumerate(optimizers):
            optimizer.param_groups[0]["lr"] = rates[model] * factor
            for tensor, gradient in zip(theirs[model], gradients, strict=True):
                tensor.grad = gradient[model].clone()
            optimizer.step()

    for number, tensor in enumerate(ours):
        wanted = torch.stack([theirs[model][number] for model in range(3)]).detach()
        torch.testing.assert_close(tensor, wanted, rtol=1e-6, atol=1e-6)
