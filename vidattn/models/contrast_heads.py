"""What stands behind a network in contrastive pre-training: projector and predictor, normed over all processes."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class GatheredBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose statistics are those of all processes together, gradients too.

    As torch's `SyncBatchNorm`, which refuses tensors on the CPU. Without processes, and in evaluation, it is
    `BatchNorm1d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """`(B, D)` -> `(B, D)`; B may differ between processes."""
        if not (self.training and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        count = x.new_tensor([float(len(x))])
        dist.all_reduce(count)
        mean = all_reduce(x.sum(0)) / count
        variance = all_reduce((x - mean).square().sum(0)) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp(min=1)
            for running, now in ((self.running_mean, mean), (self.running_var, unbiased)):
                running.lerp_(now.to(running), self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked += 1  # type: ignore[operator, assignment]
        normed = (x - mean) * (variance + self.eps).rsqrt()
        return normed * self.weight + self.bias if self.affine else normed


def perceptron(width: int, hidden: int, out: int, depth: int) -> nn.Sequential:
    """Linear layers without bias, batch normalisation behind each, ReLU between; the last norm learns nothing.

    MoCo v3's code, `moco/builder.py`; SimCLR, https://arxiv.org/abs/2002.05709, appendix B.4.

    Args:
        width: of what goes in.
        hidden: of what lies between.
        out: of what comes out.
        depth: number of linear layers.
    """
    layers: list[nn.Module] = []
    for index in range(depth):
        last = index + 1 == depth
        layers.append(nn.Linear(width if not index else hidden, out if last else hidden, bias=False))
        layers.append(GatheredBatchNorm(out if last else hidden, affine=not last))
        if not last:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
