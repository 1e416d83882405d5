"""Masks: picking entries by a condition, ignoring labels, absent classes, boolean assignment."""

import torch
import torch.nn.functional as F


# case: picked_by_mask(logits(2, 1, 4, 4), mask(2, 1, 4, 4), bools(2, 1, 4, 4))
# case: picked_by_mask(logits(9), mask(9), bools(9))
def picked_by_mask(logits, target, valid):
    """x[mask] on both sides, then sums of what is left."""
    p = torch.sigmoid(logits)[valid]
    t = target[valid]
    inter = (p * t).sum()
    return 1 - (2 * inter + 1) / (p.sum() + t.sum() + 1)


# case: masked_mean(logits(2, 3, 4), mask(2, 3, 4), bools(2, 3, 4))
def masked_mean(logits, target, valid):
    """The mean of picked entries divides by their number."""
    error = (torch.sigmoid(logits) - target).abs()[valid == 1]
    dice = 2 * torch.masked_select(logits.sigmoid() * target, valid).sum() / (
        logits.sigmoid().masked_select(valid).pow(2).sum() + target[valid].sum())
    return 1 - dice + 0.5 * error.mean() + 0.1 * error.numel() / valid.numel()


# case: per_organ(probabilities(2, 3, 4), mask(2, 3, 4), bools(2))
def per_organ(p, t, annotated):
    """Losses of the samples that are annotated, averaged over those alone."""
    dice = (2 * (p * t).flatten(1).sum(1) + 1) / (p.flatten(1).sum(1) + t.flatten(1).sum(1) + 1)
    losses = 1 - dice
    return losses[annotated].mean()


# case: not_a_number(probabilities(2, 3, 4), mask(2, 3, 4))
def not_a_number(output, target):
    """0/0 of empty pairs is patched after the division."""
    output = output * target.amax(dim=-1, keepdim=True)
    inter = (output * target).sum(-1)
    dice = 2 * inter / (output.sum(-1).detach() + target.sum(-1))
    dice[dice != dice] = 0
    return 1 - dice.mean()


# case: ignored_label(logits(2, 3, 4, 4), labels(2, 4, 4, classes=4))
# case: ignored_label(logits(2, 2, 5), labels(2, 5, classes=3), ignore_index=2)
# case: ignored_label(logits(2, 3, 5), labels(2, 5, classes=3), ignore_index=None)
def ignored_label(logits, target, ignore_index=3):
    p = F.softmax(logits, dim=1)
    if ignore_index is not None:
        valid = target != ignore_index
        target = target.clone()
        target[~valid] = 0
        hot = F.one_hot(target, p.size(1)).movedim(-1, 1).float()
        hot = hot * valid.unsqueeze(1)
        p = p * valid.unsqueeze(1)
    else:
        hot = F.one_hot(target, p.size(1)).movedim(-1, 1).float()
    dims = (0, *range(2, p.dim()))
    inter = (p * hot).sum(dims)
    score = (2.0 * inter) / (p.sum(dims) + hot.sum(dims)).clamp_min(1e-7)
    loss = 1.0 - score
    loss *= (hot.sum(dims) > 0).to(loss.dtype)
    return loss.mean()


# case: filled_logits(logits(2, 3, 4), mask(2, 3, 4), bools(2, 3, 4))
def filled_logits(logits, target, valid):
    """Masked logits become a very negative number before the sigmoid."""
    z = logits.masked_fill(~valid, -1e4)
    p = z.sigmoid()
    t = torch.where(valid, target, torch.zeros_like(target))
    return 1 - (2 * (p * t).sum() + 1e-6) / (p.sum() + t.sum() + 1e-6)


# case: present_classes(simplex(2, 4, 5), onehot(2, 4, 5))
# case: present_classes(simplex(1, 5, 3), onehot(1, 5, 3))
def present_classes(p, t):
    """The mean over classes that occur in the target."""
    present = t.sum(dim=(0, 2)) > 0
    inter = (p * t).sum(dim=(0, 2))
    dice = (2 * inter) / (p.sum(dim=(0, 2)) + t.sum(dim=(0, 2)))
    return 1 - (dice * present).sum() / present.sum()


# case: present_only(simplex(2, 4, 5), onehot(2, 4, 5))
def present_only(p, t):
    """The same by picking."""
    counts = t.sum((0, 2))
    dice = 2 * (p * t).sum((0, 2)) / (p.sum((0, 2)) + counts)
    return (1 - dice[counts > 0]).mean()


# case: infinite_weights(simplex(2, 4, 3), onehot(2, 4, 3))
# case: infinite_weights(simplex(2, 5, 2), onehot(2, 5, 2), w_type="square")
# case: infinite_weights(simplex(2, 3, 4), onehot(2, 3, 4), w_type="uniform")
def infinite_weights(p, t, w_type="simple"):
    """Generalized Dice; the weight of a class that is absent is that of the rarest one present."""
    ground = t.sum(2)
    if w_type == "simple":
        w = torch.reciprocal(ground)
    elif w_type == "square":
        w = torch.reciprocal(ground * ground)
    else:
        w = torch.ones_like(ground)
    infs = torch.isinf(w)
    w[infs] = 0.0
    max_values = torch.max(w, dim=1)[0].unsqueeze(dim=1)
    w = w + infs * max_values
    num = 2 * ((p * t).sum(2) * w).sum(1, keepdim=True) + 1e-5
    den = ((p.sum(2) + ground) * w).sum(1, keepdim=True) + 1e-5
    return (1 - num / den).mean()


# case: nan_to_num_dice(simplex(2, 4, 5), onehot(2, 4, 5))
def nan_to_num_dice(p, t):
    s = t.sum(2)
    w = torch.nan_to_num(1 / s, posinf=0.0)
    return 1 - 2 * (w * (p * t).sum(2)).sum() / (w * (p.sum(2) + s)).sum()


# case: hard_negatives(logits(2, 12), mask(2, 12))
# case: hard_negatives(logits(20), mask(20), ratio=0.25)
def hard_negatives(logits, target, ratio=0.5):
    """Online hard example mining: positives and the worst of the negatives."""
    p = logits.sigmoid().view(-1)
    t = target.view(-1)
    positive = t > 0.5
    count = max(1, int(ratio * t.numel()))
    negatives = torch.where(positive, torch.zeros_like(p), p)
    threshold = negatives.sort(descending=True)[0][count - 1]
    chosen = positive | (negatives >= threshold)
    p, t = p * chosen, t * chosen
    return 1 - (2 * (p * t).sum() + 1) / (p.pow(2).sum() + t.pow(2).sum() + 1)


# case: top_losses(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: top_losses(logits(10), mask(10), k=30)
def top_losses(logits, target, k=10):
    """The mean of the largest k percent of the cross entropy, beside Dice."""
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none").reshape(-1)
    worst, _ = torch.topk(ce, int(ce.numel() * k / 100), sorted=False)
    p = logits.sigmoid()
    return worst.mean() + 1 - 2 * (p * target).sum() / (p.sum() + target.sum())


# case: lovasz_hinge(logits(8), mask(8))
# case: lovasz_hinge(logits(2, 3), mask(2, 3))
def lovasz_hinge(logits, labels):
    """Sorted errors times the cumulative Jaccard's differences."""
    logits, labels = logits.view(-1), labels.view(-1)
    signs = 2.0 * labels - 1.0
    errors = 1.0 - logits * signs
    errors_sorted, perm = torch.sort(errors, dim=0, descending=True)
    gt_sorted = labels[perm.data]
    gts = gt_sorted.sum()
    intersection = gts - gt_sorted.cumsum(0)
    union = gts + (1 - gt_sorted).cumsum(0)
    jaccard = 1.0 - intersection / union
    p = len(gt_sorted)
    if p > 1:
        jaccard[1:p] = jaccard[1:p] - jaccard[0:-1]
    return torch.dot(F.relu(errors_sorted), jaccard)


# case: double_where(probabilities(2, 3, 5), mask(2, 3, 5))
def double_where(p, t):
    """Both divisor and quotient are guarded, so that no gradient is NaN."""
    t = t * (torch.arange(3) > 0).view(1, 3, 1)
    den = p.sum(2) * t.amax(2) + t.sum(2)
    safe = torch.where(den == 0, torch.ones_like(den), den)
    dice = torch.where(den == 0, 1.0, 2 * (p * t).sum(2) / safe)
    return (1 - dice).mean()
