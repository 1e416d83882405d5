"""Sorting of arrays with more entries than are compared with each other in a formula."""

import torch
import torch.nn.functional as F


def losses_of(z, y):
    return F.cross_entropy(z, y, reduction="none")


# case: worst_tenth(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3))
# case: worst_tenth(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3), k=0.2)
def worst_tenth(z, y, k=10):
    """The mean of the largest k percent; so few of them that each has its place in the formula."""
    res = losses_of(z, y)
    res, _ = torch.topk(res.view((-1,)), int(res.numel() * k / 100), sorted=False)
    return res.mean()


# case: worst_by_sorting(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3))
def worst_by_sorting(z, y):
    loss, places = losses_of(z, y).view(-1).sort(descending=True)
    best = torch.flip(loss, (0,))[:50]
    return loss[: loss.numel() // 10].mean() + (places.float().mean() + len(best)) * best.sum() / 100


# case: worst_by_places(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3))
def worst_by_places(z, y):
    """Two arrays taken at the places of the largest losses."""
    loss = losses_of(z, y).view(-1)
    p = z.softmax(1)[:, 1].reshape(-1)
    places = loss.detach().argsort(descending=True)[:500]
    return (loss[places] * p[places]).mean() + p.gather(0, places).pow(2).sum()


# case: above_a_rank(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3), least=0.7)
# case: above_a_rank(logits(1, 3, 72, 60), labels(1, 72, 60, classes=3), least=9.0)
def above_a_rank(z, y, least):
    """The loss at a rank is a threshold, or the largest losses that are above another."""
    loss = losses_of(z, y).view(-1)
    ranked, _ = torch.sort(loss, descending=True)
    if ranked[400] > least:
        hard = ranked[ranked > least]
    else:
        hard = ranked[:400]
    return hard.mean() + loss[loss >= ranked[99]].sum() / 100 + ranked[:30].min() - ranked[-1]


# case: worst_of_each(logits(2, 3, 72, 60), labels(2, 72, 60, classes=3))
def worst_of_each(z, y):
    """Each sample has its own worst entries."""
    loss = losses_of(z, y).flatten(1)
    worst, places = loss.topk(200, dim=1)
    p = z.softmax(1)[:, 0].flatten(1).gather(1, places)
    weighted = (worst * p).sum(1, keepdim=True) / p.sum(1, keepdim=True)
    first = worst[0].mean() + worst[1][:10].sum()
    return weighted.mean() + worst.mean() + worst.view(-1).pow(2).mean() + first + worst[:, 0].sum()


# case: middle(logits(4320), mask(4320))
# case: middle(logits(2, 4320), mask(2, 4320))
def middle(z, t):
    loss = F.binary_cross_entropy_with_logits(z, t, reduction="none")
    third = loss.kthvalue(loss.size(-1) // 3)[0].sum()
    return loss.median() + loss.median(dim=-1).values.mean() * third


def lovasz_grad(sorted_truth):
    p = len(sorted_truth)
    total = sorted_truth.sum()
    intersection = total - sorted_truth.cumsum(0)
    union = total + (1 - sorted_truth).cumsum(0)
    jaccard = 1.0 - intersection / union
    if p > 1:
        jaccard[1:p] = jaccard[1:p] - jaccard[0:-1]
    return jaccard


# case: lovasz_hinge(logits(4320), mask(4320))
# case: lovasz_hinge(logits(1, 72, 60), mask(1, 72, 60))
def lovasz_hinge(z, y):
    z, y = z.view(-1), y.view(-1)
    signs = 2.0 * y - 1.0
    errors = 1.0 - z * signs
    errors_sorted, perm = torch.sort(errors, dim=0, descending=True)
    return torch.dot(F.relu(errors_sorted), lovasz_grad(y[perm.data]))


# case: lovasz_softmax(logits(1, 3, 72, 70), labels(1, 72, 70, classes=4), ignore=3)
# case: lovasz_softmax(logits(1, 3, 72, 60), labels(1, 72, 60, classes=2), ignore=5)
def lovasz_softmax(z, y, ignore):
    """Rows of valid places; classes that are not there are left out."""
    p = z.softmax(1).permute(0, 2, 3, 1).contiguous().view(-1, z.size(1))
    y = y.view(-1)
    valid = y != ignore
    p, y = p[valid.nonzero().squeeze()], y[valid]
    losses = []
    for c in range(p.size(1)):
        truth = (y == c).to(p.dtype)
        if truth.sum() == 0:
            continue
        errors_sorted, perm = torch.sort((truth - p[:, c]).abs(), 0, descending=True)
        losses.append(torch.dot(errors_sorted, lovasz_grad(truth[perm.data])))
    return sum(losses) / len(losses)


# case: lovasz_of_each(logits(2, 4320), mask(2, 4320))
def lovasz_of_each(z, y):
    """Rows that are sorted at once."""
    errors = 1.0 - z * (2.0 * y - 1.0)
    errors_sorted, perm = errors.sort(dim=1, descending=True)
    truth = y.gather(1, perm)
    total = truth.sum(dim=1, keepdim=True)
    union = total + (1.0 - truth).cumsum(dim=1)
    gradient = 1.0 - (total - truth.cumsum(dim=1)) / union
    gradient[..., 1:] = gradient[..., 1:] - gradient[..., :-1]
    return (errors_sorted.relu() * gradient).sum(dim=1).mean()


# case: ranked_ties(logits(4320), mask(4320))
def ranked_ties(z, t):
    """Many losses are 0, and a stable sort keeps their order."""
    z = torch.where(z.abs() < 1, z.sign(), z)
    loss = 1.0 - z * (2.0 * t - 1.0)
    ranked = loss.sort(descending=True, stable=True)[0]
    weights = torch.linspace(1, 0, len(ranked), dtype=z.dtype)
    return (ranked * weights).mean() + ranked[:2000].pow(2).sum()


# case: hard_pixels(logits(1, 3, 72, 70), labels(1, 72, 70, classes=4), ignore=3, least=0.7)
# case: hard_pixels(logits(1, 3, 72, 70), labels(1, 72, 70, classes=4), ignore=3, least=0.01)
def hard_pixels(z, y, ignore, least):
    """Losses of valid pixels in the order of their probabilities, up to a threshold."""
    losses = F.cross_entropy(z, y, ignore_index=ignore, reduction="none").view(-1)
    mask = y.view(-1) != ignore
    named = torch.where(y == ignore, torch.zeros_like(y), y).unsqueeze(1)
    p, order = z.softmax(1).gather(1, named).view(-1)[mask].sort()
    threshold = max(p[min(500, p.numel() - 1)], least)
    return losses[mask][order][p < threshold].mean()


# case: weights_of_hard_pixels(logits(1, 3, 72, 70), labels(1, 72, 70, classes=4), ignore=3)
def weights_of_hard_pixels(z, y, ignore):
    """Weights that are set at the places of the largest losses."""
    losses = F.cross_entropy(z, y, ignore_index=ignore, reduction="none")
    weights = torch.zeros_like(losses)
    with torch.no_grad():
        valid = y != ignore
        own = weights[valid]
        own[losses[valid].sort(descending=True)[1][:700]] = 1.0
        weights[valid] = own
    flat = losses.view(-1)
    places = flat.topk(300).indices
    other = torch.zeros_like(flat)
    other[places] = 1
    third = torch.zeros_like(flat).scatter_(0, places, 2.0)
    return (losses * weights).mean() + (flat * (other + third)).mean()


# case: lovasz_by_rows(logits(2, 4320), mask(2, 4320))
def lovasz_by_rows(z, y):
    """Rows of places beside the numbers of the rows."""
    errors = 1.0 - z * (2.0 * y - 1.0)
    errors_sorted, perm = errors.sort(dim=1, descending=True)
    rows = torch.arange(z.size(0)).repeat_interleave(z.size(1)).reshape(z.size(0), -1)
    truth = y[rows, perm]
    weights = truth.cumsum(dim=1) / truth.sum(dim=1, keepdim=True)
    return (errors_sorted.relu() * weights).sum(dim=1).mean()
