"""Losses by margins, distances and distributions, and activations beside sigmoid and softmax."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: signed(logits(2, 3, 4), mask(2, 3, 4), each("soft_margin", "hinge", "pairs"))
def signed(z, t, kind):
    """Targets of 1 and -1."""
    y = 2 * t - 1
    if kind == "soft_margin":
        return F.soft_margin_loss(z, y)
    if kind == "hinge":
        return F.hinge_embedding_loss(z, y, margin=0.5, reduction="sum")
    return F.margin_ranking_loss(z, z.flip(2) * 0.3, y, margin=0.2)


# case: between_embeddings(logits(4, 6), soft(4, 6), each(False, True))
def between_embeddings(z, other, swap):
    """Distances of rows, and the angle between them."""
    triplet = nn.TripletMarginLoss(margin=2.0, swap=swap)(z, other, z.roll(1, 0))
    y = torch.tensor([1.0, -1.0, 1.0, -1.0])
    angle = F.cosine_embedding_loss(z, other, y, margin=0.1)
    return triplet + angle + F.pairwise_distance(z, other, keepdim=True).mean() + torch.dist(z, other)


# case: of_labels(logits(3, 5), mask(3, 5))
def of_labels(z, t):
    weight = torch.tensor([1.0, 0.5, 2.0, 1.0, 1.5])
    return nn.MultiLabelSoftMarginLoss()(z, t) + F.multilabel_soft_margin_loss(z, t, weight)


# case: counts(logits(2, 3, 4), weights(2, 3, 4), each(False, True))
def counts(z, t, full):
    """Poisson's likelihood, of logarithms of rates and of rates."""
    rates = F.softplus(z, beta=2, threshold=10)
    direct = F.poisson_nll_loss(rates, t, log_input=False, full=full, reduction="sum")
    return nn.PoissonNLLLoss(full=full)(z, t) + direct


# case: entropies(probabilities(2, 3, 4), soft(2, 3, 4))
def entropies(p, t):
    own = torch.special.entr(p) + torch.special.entr(1 - p)
    cross = torch.xlogy(t, p) + torch.special.xlog1py(1 - t, -p)
    return (own - cross).mean()


# case: joined_terms(logits(2, 3), soft(2, 3))
def joined_terms(z, t):
    p = z.sigmoid()
    moved = torch.addcmul(p, t, p, value=0.5) + torch.addcdiv(t, p, t + 1, value=-0.1)
    between = torch.lerp(p, t, 0.25).lerp(t, 0.5)
    far = torch.hypot(p - t, torch.full_like(p, 0.1)) + torch.logaddexp(z, t)
    return (moved * between + far).mean() + (p * z.xlogy(t + 1)).sum()


# case: activated(logits(2, 3, 5), mask(2, 3, 5), each("Mish", "Hardswish", "SELU", "CELU"))
def activated(z, t, name):
    p = torch.sigmoid(getattr(nn, name)()(z))
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: of_variances(logits(2, 3, 4), soft(2, 3, 4), weights(2, 3, 4), each(False, True))
def of_variances(z, t, v, full):
    """Gaussian likelihoods, of a variance for each pixel and of one for all along an axis."""
    own = nn.GaussianNLLLoss(full=full, eps=1.0)(z, t, v)
    learned = F.gaussian_nll_loss(t, v, F.softplus(z) * 0.5, full=full, eps=0.1, reduction="sum")
    return own + learned + F.gaussian_nll_loss(z, t, v[..., 0]) + F.gaussian_nll_loss(z, t, v[:, :1])


# case: margins_of_classes(logits(5, 3), labels(5, classes=3), each(1, 2))
def margins_of_classes(z, y, p):
    weight = torch.tensor([1.0, 0.5, 2.0], dtype=z.dtype)
    weighed = nn.MultiMarginLoss(p=p, margin=0.5, weight=weight)(z, y)
    return weighed + F.multi_margin_loss(z[y > 0], y[y > 0], p=p, reduction="sum")
