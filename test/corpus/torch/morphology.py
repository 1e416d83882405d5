"""clDice: soft skeletons by minima and maxima over windows."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def soft_erode(img):
    if len(img.shape) == 4:
        p1 = -F.max_pool2d(-img, (3, 1), (1, 1), (1, 0))
        p2 = -F.max_pool2d(-img, (1, 3), (1, 1), (0, 1))
        return torch.min(p1, p2)
    p1 = -F.max_pool3d(-img, (3, 1, 1), (1, 1, 1), (1, 0, 0))
    p2 = -F.max_pool3d(-img, (1, 3, 1), (1, 1, 1), (0, 1, 0))
    p3 = -F.max_pool3d(-img, (1, 1, 3), (1, 1, 1), (0, 0, 1))
    return torch.min(torch.min(p1, p2), p3)


def soft_dilate(img):
    if len(img.shape) == 4:
        return F.max_pool2d(img, (3, 3), (1, 1), (1, 1))
    return F.max_pool3d(img, (3, 3, 3), (1, 1, 1), (1, 1, 1))


def soft_skel(img, iterations):
    skel = F.relu(img - soft_dilate(soft_erode(img)))
    for _ in range(iterations):
        img = soft_erode(img)
        delta = F.relu(img - soft_dilate(soft_erode(img)))
        skel = skel + F.relu(delta - skel * delta)
    return skel


class SoftClDice(nn.Module):
    # case: SoftClDice(1)(probabilities(1, 1, 5, 6), soft(1, 1, 5, 6))
    # case: SoftClDice(2)(probabilities(2, 1, 4, 4), soft(2, 1, 4, 4))
    # case: SoftClDice(1)(probabilities(1, 1, 3, 3, 3), soft(1, 1, 3, 3, 3))
    # case: SoftClDice(10)(probabilities(2, 2, 6, 6), soft(2, 2, 6, 6))
    def __init__(self, iterations=3, smooth=1.0):
        super().__init__()
        self.iterations, self.smooth = iterations, smooth

    def forward(self, pred, true):
        skel_pred = soft_skel(pred, self.iterations)
        skel_true = soft_skel(true, self.iterations)
        tprec = (torch.sum(skel_pred * true) + self.smooth) / (torch.sum(skel_pred) + self.smooth)
        tsens = (torch.sum(skel_true * pred) + self.smooth) / (torch.sum(skel_true) + self.smooth)
        return 1.0 - 2.0 * (tprec * tsens) / (tprec + tsens)


# case: pooled(logits(1, 2, 4, 6), mask(1, 2, 4, 6))
# case: pooled(logits(2, 1, 4, 4), mask(2, 1, 4, 4), size=4)
def pooled(logits, target, size=2):
    """Dice on coarser arrays: averages and maxima over windows."""
    p = F.avg_pool2d(logits.sigmoid(), size)
    t = F.max_pool2d(target, kernel_size=size, stride=size)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: boundary_weight(logits(1, 1, 5, 5), mask(1, 1, 5, 5))
def boundary_weight(logits, target):
    """Voxels whose neighbourhood differs from them weigh more."""
    weight = 1 + 5 * torch.abs(F.avg_pool2d(target, kernel_size=3, stride=1, padding=1) - target)
    p = logits.sigmoid()
    inter = ((p * target) * weight).sum(dim=(2, 3))
    union = ((p + target) * weight).sum(dim=(2, 3))
    return (1 - (inter + 1) / (union - inter + 1)).mean()


# case: gradients(probabilities(1, 1, 4, 5), mask(1, 1, 4, 5))
def gradients(p, t):
    """Differences of neighbours, padded to the old size."""
    def edges(x):
        dy = F.pad(x[:, :, 1:] - x[:, :, :-1], (0, 0, 0, 1))
        dx = F.pad(torch.abs(x[..., 1:] - x[..., :-1]), (0, 1, 0, 0), mode="constant", value=0)
        return torch.abs(dy) + dx
    a, b = edges(p), edges(t)
    return 1 - (2 * (a * b).sum() + 1) / (a.sum() + b.sum() + 1)


# case: normalized(logits(2, 3, 4), mask(2, 3, 4))
def normalized(logits, target):
    p = F.normalize(logits, p=2, dim=1)
    t = F.normalize(target, dim=1)
    cosine = F.cosine_similarity(logits, target, dim=1, eps=1e-8)
    return 1 - (p * t).sum(1).mean() + 0.1 * (1 - cosine).mean()


# case: structure_loss(logits(1, 1, 8, 7), mask(1, 1, 8, 7), size=5)
# case: structure_loss(logits(2, 1, 6, 9), mask(2, 1, 6, 9), size=9)
# case: structure_loss(logits(1, 1, 10, 12), mask(1, 1, 10, 12))
def structure_loss(pred, mask, size=31):
    """F3Net's: pixels weigh by how far they differ from the mean of a large window around them."""
    weit = 1 + 5 * torch.abs(
        F.avg_pool2d(mask, kernel_size=size, stride=1, padding=size // 2) - mask
    )
    wbce = F.binary_cross_entropy_with_logits(pred, mask, reduction="none")
    wbce = (weit * wbce).sum(dim=(2, 3)) / weit.sum(dim=(2, 3))
    pred = torch.sigmoid(pred)
    inter = ((pred * mask) * weit).sum(dim=(2, 3))
    union = ((pred + mask) * weit).sum(dim=(2, 3))
    wiou = 1 - (inter + 1) / (union - inter + 1)
    return (wbce + wiou).mean()


# case: similarity(logits(1, 1, 9, 7), mask(1, 1, 9, 7))
# case: similarity(logits(1, 2, 12, 12), soft(1, 2, 12, 12), size=11)
def similarity(logits, target, size=5):
    """Structural similarity, from means and variances over windows."""
    def mean(x):
        return F.avg_pool2d(x, size, 1, size // 2)

    p = torch.sigmoid(logits)
    mp, mt = mean(p), mean(target)
    vp, vt = mean(p * p) - mp**2, mean(target * target) - mt**2
    both = mean(p * target) - mp * mt
    ssim = (2 * mp * mt + 1e-4) * (2 * both + 9e-4)
    return 1 - (ssim / ((mp**2 + mt**2 + 1e-4) * (vp + vt + 9e-4))).mean()


# case: blurred(logits(1, 2, 7, 8), mask(1, 2, 7, 8))
# case: blurred(logits(1, 1, 9, 9), mask(1, 1, 9, 9), size=7, stride=2)
def blurred(logits, target, size=5, stride=1):
    """Dice of arrays blurred by a Gaussian kernel, a channel at a time."""
    x = torch.arange(size).float() - size // 2
    g = torch.exp(-(x**2) / 4.5)
    kernel = g[:, None] * g[None, :] / g.sum() ** 2
    channels = logits.shape[1]
    weight = kernel.expand(channels, 1, size, size)

    def blur(v):
        return F.conv2d(v, weight, stride=stride, padding=size // 2, groups=channels)

    p, t = blur(torch.sigmoid(logits)), blur(target)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: gaussian_similarity(logits(1, 2, 12, 13), mask(1, 2, 12, 13))
def gaussian_similarity(logits, target, size=11):
    """Structural similarity whose windows are an outer product of a Gaussian with itself."""
    line = torch.exp(-((torch.arange(size).float() - size // 2) ** 2) / 4.5)
    line = (line / line.sum()).unsqueeze(1)
    channels = logits.shape[1]
    window = line.mm(line.t()).unsqueeze(0).unsqueeze(0)
    window = window.expand(channels, 1, size, size).contiguous()

    def mean(x):
        return F.conv2d(x, window, padding=size // 2, groups=channels)

    p = torch.sigmoid(logits)
    mp, mt = mean(p), mean(target)
    vp, vt = mean(p * p) - mp.pow(2), mean(target * target) - mt.pow(2)
    both = mean(p * target) - mp * mt
    ssim = (2 * mp * mt + 1e-4) * (2 * both + 9e-4)
    return 1 - (ssim / ((mp.pow(2) + mt.pow(2) + 1e-4) * (vp + vt + 9e-4))).mean()


# case: blurred_by_distance(logits(1, 1, 9, 8), mask(1, 1, 9, 8))
def blurred_by_distance(logits, target, size=7):
    """Mean squared error of arrays blurred by a Gaussian of the distance, from a grid of coordinates."""
    r = torch.arange(size).float() - size // 2
    y, x = torch.meshgrid(r, r, indexing="ij")
    weight = torch.exp(-(x**2 + y**2) / 4.5)
    weight = (weight / weight.sum()).view(1, 1, size, size)
    return F.mse_loss(F.conv2d(torch.sigmoid(logits), weight, padding=3), F.conv2d(target, weight, padding=3))


# case: tilted(logits(4, 5), mask(4, 5))
def tilted(logits, target):
    """Dice whose weights are an outer product, and coordinates of a grid of lists."""
    weight = torch.outer(torch.arange(4.0) + 1, torch.arange(5.0) + 2) + torch.arange(4.0).ger(torch.arange(5.0))
    rows, columns = torch.meshgrid([torch.arange(4.0), torch.arange(5.0)])
    p = torch.sigmoid(logits) * (weight + rows - 2 * columns)
    return 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)


# case: neighbourhoods(logits(1, 1, 9, 8), mask(1, 1, 9, 8), torch.ones(1, 1, 5, 7) / 35)
# case: neighbourhoods(logits(2, 1, 9, 8), mask(2, 1, 9, 8), (torch.arange(25.0) % 7 - 2).view(1, 1, 5, 5))
# case: neighbourhoods(logits(1, 2, 9, 8), mask(1, 2, 9, 8), (torch.arange(72.0) % 7 - 2).view(2, 1, 6, 6))
def neighbourhoods(logits, target, weight):
    """Dice of arrays that are correlated with large windows."""
    def near(x):
        return F.conv2d(x, weight, padding=2, groups=x.shape[1])

    p, t = near(torch.sigmoid(logits)), near(target)
    return 1 - (2 * (p * t).sum() + 1) / ((p * p).sum() + (t * t).sum() + 1)


# case: by_groups(logits(2, 4, 6, 5), mask(2, 4, 6, 5))
def by_groups(logits, target):
    """Windows over two channels each, and two windows for each channel; rows as often as a list says."""
    weight = (torch.arange(108.0) % 5 - 2).view(6, 2, 3, 3)
    mixed = F.conv2d(torch.sigmoid(logits), weight, bias=torch.arange(6.0), padding=1, groups=2)
    each = F.conv2d(torch.sigmoid(logits), (torch.arange(24.0) % 3).view(8, 1, 1, 3), groups=4)
    often = torch.repeat_interleave(target, torch.tensor([1, 2, 0, 3]), dim=1)
    return (mixed * often).mean() + each.pow(2).mean()


# case: with_parts(logits(1, 2, 8, 9), mask(1, 2, 8, 9))
def with_parts(logits, target):
    """Windows of a kernel of ones, and of one that falls from row to row, for each channel."""
    rows = torch.tensor([0.5, 1.0, 2.0, 1.0, 0.5])
    ones = torch.ones(2, 1, 5, 5) / 25
    falling = (rows[:, None] * torch.ones(5)).expand(2, 1, 5, 5) * torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    p = torch.softmax(logits, 1)
    near = F.conv2d(p, ones, padding=2, groups=2) + F.conv2d(p, falling, padding=2, groups=2)
    return 1 - (2 * (near * target).sum() + 1) / (near.sum() + target.sum() + 1)


# case: eroded(logits(1, 1, 9, 10), mask(1, 1, 9, 10))
def eroded(logits, target, rounds=4):
    """Squared differences eroded by a cross again and again, later rounds counting more (a Hausdorff loss)."""
    cross = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]]).view(1, 1, 3, 3) * 0.2
    bound = (torch.sigmoid(logits) - target) ** 2
    total = torch.zeros_like(bound)
    for k in range(rounds):
        left = F.relu(F.conv2d(bound, cross, padding=1) - 0.3)
        span = left.max() - left.min()
        bound = (left - left.min()) / span if span > 0 else left
        total = total + bound * (k + 1) ** 2
    return total.mean()


# case: widened(probabilities(1, 1, 8, 9), soft(1, 1, 8, 9))
# case: widened(probabilities(2, 1, 10, 9), soft(2, 1, 10, 9), size=9, stride=2, padding=4)
# case: widened(probabilities(1, 2, 9, 9), soft(1, 2, 9, 9), size=5, stride=3, padding=1, dilation=2)
def widened(pred, target, size=7, stride=1, padding=3, dilation=1):
    """Dice of the largest of each window."""
    p = F.max_pool2d(pred, size, stride, padding, dilation)
    t = F.max_pool2d(target, size, stride, padding, dilation)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: coarse(logits(1, 1, 20, 21), mask(1, 1, 20, 21))
# case: coarse(logits(1, 1, 11, 10), mask(1, 1, 11, 10), size=5, stride=2, padding=2)
# case: coarse(logits(1, 1, 24, 20), mask(1, 1, 24, 20), size=9, stride=3, padding=4)
def coarse(logits, target, size=10, stride=5, padding=0):
    """Dice of means over windows some steps apart, in which padding does not count."""
    def mean(x):
        return F.avg_pool2d(x, size, stride, padding, count_include_pad=False)

    p, t = mean(torch.sigmoid(logits)), mean(target)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: coarse_volume(logits(1, 1, 6, 7, 8), mask(1, 1, 6, 7, 8))
def coarse_volume(logits, target):
    p = F.avg_pool3d(torch.sigmoid(logits), 5, 1, 2)
    t = F.avg_pool3d(target, 5, 1, 2)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
