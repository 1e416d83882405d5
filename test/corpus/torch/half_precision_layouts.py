"""Layouts, large maps and products of matrices, in which half precision adds in other orders."""

import torch
import torch.nn.functional as F


# case: softmax_dice(logits(1, 4, 160, 170), onehot(1, 4, 160, 170))
# case: softmax_dice(logits(1, 2, 48, 48, 48), onehot(1, 2, 48, 48, 48))
# case: softmax_dice(logits(2, 3, 131, 259), onehot(2, 3, 131, 259))
def softmax_dice(z, t, eps=1e-5):
    """Softmax over channels of more than 100,000 entries."""
    p = z.softmax(1)
    dims = tuple(range(2, z.ndim))
    i = (p * t).sum(dims)
    return 1 - ((2 * i + eps) / (p.sum(dims) + t.sum(dims) + eps)).mean()


# case: log_softmax_dice(logits(1, 5, 150, 143), onehot(1, 5, 150, 143))
def log_softmax_dice(z, t):
    p = F.log_softmax(z, dim=1).exp()
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())


# case: softmax_of_last(logits(1, 160, 170, 4), onehot(1, 160, 170, 4, axis=3))
def softmax_of_last(z, t):
    p = torch.softmax(z, dim=-1)
    return 1 - ((2 * (p * t).sum((0, 1, 2)) + 1) / (p.sum((0, 1, 2)) + t.sum((0, 1, 2)) + 1)).mean()


# case: softmax_of_channels_last(logits(1, 160, 170, 4), onehot(1, 160, 170, 4, axis=3))
def softmax_of_channels_last(z, t):
    """A view with channels in the second place, which lie closest together."""
    p = z.permute(0, 3, 1, 2).softmax(1)
    q = t.permute(0, 3, 1, 2)
    i = (p * q).sum((2, 3))
    return 1 - (2 * i / (p.sum((2, 3)) + q.sum((2, 3)))).mean()


# case: permuted_sums(probabilities(3, 17, 90), mask(3, 17, 90))
def permuted_sums(p, t):
    q, u = p.permute(2, 0, 1), t.permute(2, 0, 1)
    return 1 - (2 * (q * u).sum(0) / (q.sum(0) + u.sum(0))).mean() + q.sum((0, 2)).mean() / 1000


# case: sliced_sums(probabilities(2, 3, 40, 70), mask(2, 3, 40, 70))
def sliced_sums(p, t):
    q, u = p[:, 1:, ::2, 3:-2], t[:, 1:, ::2, 3:-2]
    return 1 - (2 * (q * u).sum() + 1) / (q.sum() + u.sum() + 1) + q.sum((2, 3)).mean() / 1000


# case: sums_of_every_other(probabilities(5, 700), mask(5, 700))
def sums_of_every_other(p, t):
    q, u = p[:, ::2], t[:, ::2]
    return 1 - ((2 * (q * u).sum(1) + 1) / (q.sum(1) + u.sum(1) + 1)).mean()


# case: expanded_sums(probabilities(2, 1, 30, 41), mask(2, 3, 30, 41))
def expanded_sums(p, t):
    q = p.expand(-1, 3, -1, -1)
    i = (q * t).sum((2, 3))
    return 1 - ((2 * i + 1) / (q.sum((2, 3)) + t.sum((2, 3)) + 1)).mean() + q.sum() / 10000


# case: expanded_over_batch(probabilities(1, 37), mask(6, 37))
def expanded_over_batch(p, t):
    q = p.expand(6, 37)
    return 1 - (2 * (q * t).sum(0) / (q.sum(0) + t.sum(0) + 1e-3)).mean()


# case: transposed_flat(probabilities(60, 130), mask(60, 130))
def transposed_flat(p, t):
    q, u = p.t(), t.t()
    return 1 - (2 * (q * u).sum() + 1) / (q.sum() + u.sum() + 1) + q.sum(1).mean() / 100


# case: products_and_sums(probabilities(4, 300), mask(4, 300))
def products_and_sums(p, t):
    inter = torch.matmul(p, t.t()).diagonal()
    return 1 - ((2 * inter + 1) / (p.sum(1) + t.sum(1) + 1)).mean()


# case: einsum_and_sums(logits(2, 3, 24, 25), onehot(2, 3, 24, 25))
def einsum_and_sums(z, t):
    p = z.softmax(1)
    inter = torch.einsum("bchw,bchw->bc", p, t)
    return 1 - ((2 * inter + 1e-3) / (p.sum((2, 3)) + t.sum((2, 3)) + 1e-3)).mean()


# case: all_pairs(probabilities(5, 257), mask(6, 257))
def all_pairs(p, t):
    """Every query against every target, as matchers of mask transformers do."""
    n = 2 * torch.einsum("nc,mc->nm", p, t)
    d = p.sum(-1)[:, None] + t.sum(-1)[None, :]
    return (1 - (n + 1) / (d + 1)).mean()


# case: batched_products(probabilities(3, 4, 100), mask(3, 4, 100))
def batched_products(p, t):
    inter = torch.bmm(p, t.transpose(1, 2)).diagonal(dim1=1, dim2=2)
    return 1 - ((2 * inter + 1) / (p.sum(2) + t.sum(2) + 1)).mean()
