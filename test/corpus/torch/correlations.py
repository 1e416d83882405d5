"""Losses by covariances and correlations of predictions with targets, and of features."""

import torch


# case: pearson(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
def pearson(z, t):
    """1 less the correlation of the pixels of each sample, beside Dice."""
    p = torch.sigmoid(z)
    pairs = [torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in zip(p, t)]
    dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
    return dice + (1 - torch.stack(pairs)).mean()


# case: decorrelated(logits(3, 8), each(0, 1))
def decorrelated(z, correction):
    """VICReg's two terms: features are to vary, and not together."""
    c = z.cov(correction=correction)
    spread = torch.relu(1 - (c.diagonal() + 1e-4).sqrt()).mean()
    return spread + (c - torch.diag_embed(c.diagonal())).square().sum() / 3 + torch.cov(z[0])


# case: apart(logits(5, 4), each(0, 1))
def apart(z, diagonal):
    """Rows are to be unlike each other: each pair once, by its place above the diagonal."""
    unit = z / z.norm(dim=1, keepdim=True)
    likeness = unit @ unit.T
    return likeness.triu(diagonal).square().sum() + torch.diag(z).tanh().sum() + z.tril().sum()
