"""Changes of shape and reductions over axes, as losses write them."""

import torch
import torch.nn as nn


# case: flattened(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: flattened(logits(3, 7), mask(3, 7))
def flattened(inputs, targets, smooth=1):
    inputs = torch.sigmoid(inputs)
    inputs = inputs.view(-1)
    targets = targets.view(-1)
    intersection = (inputs * targets).sum()
    dice = (2. * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
    return 1 - dice


# case: per_sample(logits(3, 1, 4, 2), mask(3, 1, 4, 2))
# case: per_sample(logits(2, 2, 3), soft(2, 2, 3))
def per_sample(logits, targets):
    num = targets.size(0)
    smooth = 1
    probs = torch.sigmoid(logits)
    m1 = probs.view(num, -1)
    m2 = targets.view(num, -1)
    intersection = (m1 * m2)
    score = 2. * (intersection.sum(1) + smooth) / (m1.sum(1) + m2.sum(1) + smooth)
    score = 1 - score.sum() / num
    return score


def flatten(tensor):
    """Classes first, everything else behind: (N, C, D, H, W) to (C, N * D * H * W)."""
    C = tensor.size(1)
    axis_order = (1, 0) + tuple(range(2, tensor.dim()))
    transposed = tensor.permute(axis_order)
    return transposed.contiguous().view(C, -1)


# case: per_channel(probabilities(2, 3, 4, 2), mask(2, 3, 4, 2))
# case: per_channel(probabilities(1, 2, 2, 3, 2), mask(1, 2, 2, 3, 2), weight=weights(2))
# case: per_channel(probabilities(2, 3, 4), mask(2, 3, 4), epsilon=1e-3)
def per_channel(input, target, epsilon=1e-6, weight=None):
    assert input.size() == target.size(), "'input' and 'target' must have the same shape"
    input = flatten(input)
    target = flatten(target)
    target = target.float()
    intersect = (input * target).sum(-1)
    if weight is not None:
        intersect = weight * intersect
    denominator = (input * input).sum(-1) + (target * target).sum(-1)
    return 1. - torch.mean(2 * (intersect / denominator.clamp(min=epsilon)))


# case: channels_last_view(logits(2, 3, 4, 2), onehot(2, 3, 4, 2))
# case: channels_last_view(logits(1, 2, 3, 3), onehot(1, 2, 3, 3))
def channels_last_view(logits, target):
    n, c = logits.shape[:2]
    p = logits.softmax(dim=1).transpose(1, 2).transpose(2, 3).contiguous().view(-1, c)
    t = target.transpose(1, 2).transpose(2, 3).contiguous().view(-1, c)
    inter = (p * t).sum(0)
    return 1 - (2 * inter / (p.sum(0) + t.sum(0))).sum() / c


# case: chained_sums(probabilities(2, 2, 3, 4), mask(2, 2, 3, 4))
# case: chained_sums(probabilities(1, 3, 5, 2), mask(1, 3, 5, 2))
def chained_sums(output, target):
    eps = 1e-4
    inter = (output * target).sum(-1).sum(-1)
    union = output.sum(-1).sum(-1) + target.sum(dim=-1).sum(dim=-1)
    dice = 2 * (inter + eps) / (union + eps)
    return (1 - dice).sum(-1).sum() / dice.numel()


# case: einsum_dice(simplex(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: einsum_dice(simplex(2, 3, 2, 4), onehot(2, 3, 2, 4), idc=[1, 2])
def einsum_dice(probs, target, idc=None):
    idc = [0, 1, 2] if idc is None else idc
    pc = probs[:, idc, ...].type(torch.float32)
    tc = target[:, idc, ...].type(torch.float32)
    intersection = torch.einsum("bcwh,bcwh->bc", pc, tc)
    union = torch.einsum("bkwh->bk", pc) + torch.einsum("bkwh->bk", tc)
    divided = torch.ones_like(intersection) - (2 * intersection + 1e-10) / (union + 1e-10)
    return divided.mean()


# case: generalized_einsum(simplex(2, 3, 4, 4), onehot(2, 3, 4, 4))
def generalized_einsum(probs, target):
    w = 1 / ((torch.einsum("bcwh->bc", target) + 1e-10) ** 2)
    intersection = w * torch.einsum("bcwh,bcwh->bc", probs, target)
    union = w * (torch.einsum("bcwh->bc", probs) + torch.einsum("bcwh->bc", target))
    divided = 1 - 2 * (torch.einsum("bc->b", intersection) + 1e-10) / (torch.einsum("bc->b", union) + 1e-10)
    return divided.mean()


# case: dotted(logits(2, 1, 4, 3), mask(2, 1, 4, 3))
# case: dotted(logits(11), mask(11))
def dotted(input, target):
    eps = 0.0001
    p = input.sigmoid()
    inter = torch.dot(p.view(-1), target.view(-1))
    union = torch.sum(p) + torch.sum(target) + eps
    return 1 - (2 * inter.float() + eps) / union.float()


# case: by_products(logits(2, 3, 5), mask(2, 3, 5))
# case: by_products(logits(1, 2, 6), mask(1, 2, 6))
def by_products(logits, target):
    """bmm of a row with a column, tensordot over everything, matmul of vectors."""
    p = logits.sigmoid().flatten(1)
    t = target.flatten(1)
    inter = torch.bmm(p.unsqueeze(1), t.unsqueeze(2)).reshape(-1)
    squares = (p @ p.t()).diagonal() + torch.tensordot(t, t, dims=2) / t.shape[0]
    return (1 - 2 * inter / squares).mean()


# case: normed(simplex(2, 3, 4), onehot(2, 3, 4))
# case: normed(simplex(1, 2, 3, 3), soft(1, 2, 3, 3), p=1)
def normed(output, target, p=2):
    """Squared denominators by vector_norm, and the L1 form of the intersection."""
    dims = tuple(range(2, output.dim()))
    a = torch.linalg.vector_norm(output, ord=p, dim=dims)
    b = torch.linalg.vector_norm(target, ord=p, dim=dims)
    diff = torch.linalg.vector_norm(output - target, ord=p, dim=dims)
    inter = (a ** p + b ** p - diff ** p) / 2
    return (1 - 2 * inter / (a ** p + b ** p)).mean()


# case: batch_dice_over_range(logits(2, 3, 2, 3, 2), onehot(2, 3, 2, 3, 2))
# case: batch_dice_over_range(logits(2, 2, 5), onehot(2, 2, 5))
def batch_dice_over_range(logits, y):
    p = torch.nn.functional.softmax(logits, 1)
    axes = [0] + list(range(2, p.ndim))
    tp = torch.sum(p * y, dim=axes, keepdim=True)
    card = torch.sum(p + y, dim=axes, keepdim=True)
    return torch.mean(1 - (2 * tp + 1.0) / (card + 1.0)).squeeze()


# case: parts(logits(2, 4, 3, 3), mask(2, 4, 3, 3))
def parts(logits, target):
    """split, chunk, unbind, narrow and select each take some channels."""
    p = torch.sigmoid(logits)
    whole, core = torch.split(p, [3, 1], dim=1)
    first, second = p.chunk(2, dim=1)
    channels = p.unbind(dim=1)
    total = (whole * target.narrow(1, 0, 3)).sum() + (core * target[:, 3:]).sum()
    extra = (first * second).mean() + (channels[0] - p.select(1, 2)).abs().mean()
    return 1 - 2 * total / (p.sum() + target.sum()) + 0.1 * extra


# case: selected_classes(logits(2, 4, 5), onehot(2, 4, 5))
# case: selected_classes(logits(1, 4, 2, 2), onehot(1, 4, 2, 2), classes=[3])
def selected_classes(logits, onehot, classes=(0, 2)):
    index = torch.tensor(classes)
    p = torch.index_select(logits.softmax(1), 1, index)
    t = onehot.index_select(1, index)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: expanded_weights(simplex(2, 3, 4), onehot(2, 3, 4), weights(3))
def expanded_weights(p, t, w):
    w = w.view(1, -1, 1).expand_as(p)
    return 1 - 2 * (w * p * t).sum() / (w * (p + t)).sum()


# case: average_surface(logits(2, 1, 3, 4), mask(2, 1, 3, 4))
def average_surface(logits, t):
    """Mean and product forms: mean over pairs of axes, prod, std."""
    p = logits.sigmoid()
    inter = (p * t).mean((-2, -1))
    d = 2 * inter / (p.mean((-2, -1)) + t.mean((-2, -1)) + 1e-6)
    return 1 - d.prod() ** 0.5 + 0.01 * p.std() + 0.1 * p.var(dim=(2, 3), unbiased=False).mean()


# case: meshed(logits(2, 3), mask(2, 3))
def meshed(logits, t):
    """Every prediction against every target by broadcasting of new axes."""
    p = logits.sigmoid()
    inter = (p[:, None, :] * t[None, :, :]).sum(-1)
    card = p.sum(-1)[:, None] + t.sum(-1)[None]
    return (1 - (2 * inter + 1) / (card + 1)).mean()


# case: repeated_weights(simplex(2, 3, 4), onehot(2, 3, 4), weights(3))
def repeated_weights(p, t, w):
    """Weights copied to the size of the batch, and flipped."""
    w = w.view(1, -1, 1).repeat(p.shape[0], 1, p.shape[2])
    v = torch.flip(w, dims=[1])
    both = (w + v) * torch.repeat_interleave(torch.ones(2, 3, 2), 2, dim=2)
    return 1 - 2 * (both * p * t).sum() / (both * (p + t)).sum()
