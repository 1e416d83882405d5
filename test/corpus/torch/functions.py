"""Losses that call PyTorch's less common functions, under each of their names."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: by_names_of_torch(logits(2, 1, 8, 8), mask(2, 1, 8, 8))
def by_names_of_torch(logits, target):
    """Functions of torch.nn.functional that are in torch as well."""
    p = torch.sigmoid(logits)
    kernel = torch.tensor([[[[0.0, 1, 0], [1, 1, 1], [0, 1, 0]]]], dtype=p.dtype)
    inner = torch.conv2d(target, kernel, padding=1) * target
    inner[inner == 5] = 0
    share = 1 - (torch.count_nonzero(inner) + 1e-5) / (torch.count_nonzero(target) + 1e-5)
    coarse = torch.max_pool2d(p, 2) - torch.max_pool2d(target, 2)
    near = torch.cosine_similarity(p.flatten(1), target.flatten(1), dim=1)
    even = torch.layer_norm(p, p.shape[1:])
    return (coarse**2).mean() * share + (1 - near).mean() + 0.01 * (even * target).mean()


# case: in_place(logits(3, 8), mask(3, 8))
def in_place(logits, target):
    x = logits * 2
    torch.relu_(x)
    x = F.leaky_relu_(x - 1, 0.1)
    y = (x * 1).multiply_(target + 1).subtract_(0.5).divide_(3)
    z = torch.clamp_(y * 1, -0.4, 0.9)
    w = (z * z + 1).log1p_().negative_()
    s = torch.square(w).transpose_(0, 1)
    return s.sum() + s.t_()[0].mean() + F.elu_(logits - 0.5).sum() / 9


# case: shrunk(logits(4, 6), mask(4, 6))
def shrunk(logits, target):
    x = logits + 0.01
    a = F.hardshrink(x, 0.6) + F.softshrink(x) + F.tanhshrink(x) + nn.Softshrink(0.2)(x)
    b = F.glu(torch.cat([x, target], 1)) + nn.GLU(0)(torch.cat([target, x], 0))
    c = F.gelu(x, approximate="tanh") + F.prelu(x, torch.tensor([0.2], dtype=x.dtype))
    return (a * b).mean() + (c * F.softmin(x, dim=1)).sum() + nn.Threshold(0.3, -1.0)(x).mean()


# case: rounded_parts(logits(4, 6), mask(4, 6))
def rounded_parts(logits, target):
    x = logits * 3
    part = torch.frac(x) + torch.fmod(x, 0.7) + torch.trunc(x) * target
    sign = torch.sgn(x) + torch.signbit(x) + torch.copysign(x, target - 0.5)
    step = torch.heaviside(x.detach(), torch.tensor(0.5, dtype=x.dtype))
    return (part * 0.3 + sign * 0.1 + step * x).pow(2).mean()


# case: curves(logits(4, 6), mask(4, 6))
def curves(logits, target):
    x = torch.tanh(logits)
    a = torch.tan(x) + torch.sinc(x) + torch.exp2(x) + torch.deg2rad(x * 90)
    b = torch.asinh(logits) + torch.atanh(0.9 * x) + torch.acosh(1.5 + x * x)
    return (a * target).mean() + (b * b * (1 - target)).mean() + torch.asinh(0 * logits).sum()


# case: larger_of_two(probabilities(3, 4), mask(3, 4))
def larger_of_two(p, target):
    """Equal entries, too: the first one has all of the gradient."""
    half = torch.fmax(p, p * 1.0) + torch.fmin(p, target)
    far = torch.isclose(p, target, atol=0.3).logical_not()
    kept = torch.masked_fill(half, far, 0.1)
    either = torch.logical_xor(far, target > 0) | torch.bitwise_and(far, target > 0)
    return (kept * half).sum() + (p * either).mean() + torch.rsub(p, 1).pow(2).mean()


# case: merged_classes(logits(2, 4, 3, 5), labels(2, 3, 5, classes=4))
def merged_classes(logits, labels):
    """Two of the classes count as one."""
    p = logits.softmax(1)
    inside = torch.isin(labels, torch.tensor([1, 3])).to(p.dtype)
    q = p[:, 1] + p[:, 3]
    outside = torch.isin(labels, torch.tensor([1, 3]), invert=True)
    return 1 - (2 * (q * inside).sum() + 1) / (q.sum() + inside.sum() + 1) + q[outside].mean()


# case: turned(logits(2, 4, 4), mask(2, 4, 4))
def turned(logits, target):
    """The same from all sides."""
    p, total = logits.sigmoid(), 0
    for k in range(4):
        a, b = torch.rot90(p, k, dims=(1, 2)), torch.rot90(target, k, (1, 2))
        weight = torch.arange(1.0, 17, dtype=p.dtype).view(4, 4)
        total = total + (weight * (a - b).pow(2)).mean()
    flipped = torch.flipud(p) * target + torch.fliplr(p) * p
    return total + flipped.mean() + p.swapdims(0, 2)[1].mean()


# case: stacked(logits(3, 4), mask(3, 4))
def stacked(logits, target):
    p = logits.sigmoid()
    rows, columns = torch.vstack([p, target]), torch.hstack((p, target))
    deep = torch.dstack([p, target])
    pairs = torch.column_stack([p[:, 0], target[:, 0]])
    a, b = torch.broadcast_tensors(p[:1], target)
    return (
        rows.pow(2).mean()
        + (columns[:, 2:6] ** 3).sum()
        + deep.prod(-1).sum()
        + pairs.prod(1).mean()
        + (a * b).mean()
        + torch.atleast_2d(p[0]).sum(0).max()
    )


# case: products_by_name(logits(3, 4), mask(3, 4))
def products_by_name(logits, target):
    p = logits.sigmoid()
    w = torch.asarray([0.5, 1.0, 2.0, 4.0], dtype=p.dtype)
    sums = torch.mv(p, w) + torch.addmv(p[:, 0], target, w, beta=0.5, alpha=2)
    between = torch.inner(p, target) + torch.addmm(torch.eye(3, dtype=p.dtype), p, target.t())
    mixed = F.linear(p, target, torch.ones(3, dtype=p.dtype))
    return sums.mean() + (between * mixed).mean() + torch.vdot(p[0], target[1])


# case: blocks_of_pixels(logits(2, 8, 3, 4), mask(2, 8, 3, 4))
def blocks_of_pixels(logits, target):
    p = F.pixel_shuffle(logits.sigmoid(), 2)
    t = nn.PixelShuffle(2)(target)
    back = torch.pixel_unshuffle(p * t, 2)
    split = back.unflatten(1, (2, -1)).sum(2)
    up = F.upsample(split, scale_factor=2, mode="bilinear", align_corners=True)
    return 1 - 2 * (p * t).sum() / (p + t).sum() + split.pow(2).mean() + up.abs().mean()


# case: bordered(logits(1, 2, 4, 5), mask(1, 2, 4, 5))
def bordered(logits, target):
    """Differences to the neighbours, over borders of five kinds."""
    p = logits.sigmoid()
    total = (nn.ReflectionPad2d(1)(p)[..., :-2, 1:-1] - p).abs().mean()
    total = total + (nn.ReplicationPad2d((2, 0, 0, 1))(p)[..., 1:, :-2] - target).pow(2).mean()
    total = total + nn.ZeroPad2d(2)(p).std() + nn.ConstantPad2d((1, 0, 0, 0), 0.5)(p).var()
    return total + (nn.CircularPad2d(1)(p)[..., 2:, 2:] * target).mean()


# case: of_classes(logits(2, 3, 4, 5), labels(2, 4, 5, classes=3))
# case: of_classes(logits(4, 3, 2, 2), labels(4, 2, 2, classes=3))
def of_classes(logits, labels):
    """As scripts of 2017 have it: softmax by itself, and losses for images by their own name."""
    p = F.softmax(logits)
    entropy = nn.NLLLoss2d()(F.log_softmax(logits), labels)
    onehot = F.one_hot(labels, 3).permute(0, 3, 1, 2)
    inter = (nn.Softmax2d()(logits) * onehot).sum((0, 2, 3))
    return entropy + 1 - (2 * inter / (p.sum((0, 2, 3)) + onehot.sum((0, 2, 3)))).mean()
