"""Losses with layers of fixed weights: edges by a Laplacian or by Sobel's kernels, blurred errors."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class LaplacianLoss(nn.Module):
    def __init__(self):
        super().__init__()
        kernel = torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]).view(1, 1, 3, 3)
        self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.conv.weight = nn.Parameter(kernel, requires_grad=False)

    def forward(self, logits, target):
        assert self.conv.weight.shape == (1, 1, 3, 3)
        return F.mse_loss(self.conv(torch.sigmoid(logits)), self.conv(target))


# case: laplacian(logits(2, 1, 6, 7), mask(2, 1, 6, 7))
def laplacian(logits, target):
    return LaplacianLoss().double()(logits, target)


class SobelLoss(nn.Module):
    def __init__(self):
        super().__init__()
        gx = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
        both = torch.cat([gx.unsqueeze(0), gx.t().unsqueeze(0)], 0).unsqueeze(1)
        self.filter = nn.Conv2d(in_channels=1, out_channels=2, kernel_size=3, padding=1, bias=False)
        self.filter.weight.data = both
        for parameter in self.parameters():
            parameter.requires_grad = False

    def edges(self, x):
        g = self.filter(x)
        return torch.sqrt(torch.mul(g, g).sum(dim=1, keepdim=True) + 1e-6)

    def forward(self, logits, target):
        return (self.edges(logits.sigmoid()) - self.edges(target)).abs().mean()


# case: sobel(logits(2, 1, 6, 7), mask(2, 1, 6, 7))
# case: sobel(logits(1, 1, 16, 16), mask(1, 1, 16, 16))
def sobel(logits, target):
    return SobelLoss().double()(logits, target)


class BlurredLoss(nn.Module):
    """Weights that are filled, a bias of zeros, and borders of three kinds."""

    def __init__(self, channels):
        super().__init__()
        self.blur = nn.Conv2d(
            channels, channels, 5, padding=2, padding_mode="reflect", groups=channels, bias=False
        )
        with torch.no_grad():
            self.blur.weight.fill_(1 / 25)
        self.blur.weight.requires_grad_(False)
        self.pad = nn.ReplicationPad2d((1, 1, 0, 2))
        self.line = nn.Conv1d(channels, 1, 3, stride=2)
        nn.init.constant_(self.line.weight, 0.25)
        nn.init.zeros_(self.line.bias)
        self.mix = nn.Linear(channels, 1, bias=False)
        self.mix.weight.data.copy_(torch.arange(1.0, channels + 1).view(1, -1))

    def forward(self, logits, target):
        p = logits.softmax(1)
        blurred = ((self.blur(p) - self.blur(target)) ** 2).mean()
        lines = self.line(self.pad(p).flatten(2)).abs().mean()
        mixed = self.mix(p.movedim(1, -1)).squeeze(-1)
        return blurred + 0.1 * lines + (mixed * target[:, 0]).mean()


# case: blurred(logits(2, 3, 5, 6), onehot(2, 3, 5, 6))
def blurred(logits, target):
    return BlurredLoss(3).double()(logits, target)


# case: total_variation(logits(1, 2, 4, 6, 5), mask(1, 2, 4, 6, 5))
def total_variation(logits, target):
    """A volume's differences along each axis, as one convolution has them."""
    kernel = nn.Conv3d(1, 3, kernel_size=2, bias=False).double()
    weight = torch.zeros(3, 1, 2, 2, 2, dtype=torch.float64)
    weight[:, 0, 0, 0, 0] = -1
    weight[0, 0, 1, 0, 0] = weight[1, 0, 0, 1, 0] = weight[2, 0, 0, 0, 1] = 1
    kernel.weight.data = weight
    p = logits.sigmoid().transpose(0, 1)
    t = target.transpose(0, 1)
    return (kernel(p) - kernel(t)).abs().mean() + nn.functional.pad(p, (0, 1)).pow(2).mean()
