"""Arrays that change in place, and augmented assignment."""

import torch
import torch.nn.functional as F


# case: chain(logits(2, 1, 5), mask(2, 1, 5))
# case: chain(logits(3, 4), mask(3, 4), p=1, smooth=0.2)
def chain(logits, labels, p=2, smooth=1.0):
    """mul_, div_, pow_ and their like on fresh results."""
    probs = torch.sigmoid(logits)
    numer = (probs * labels).flatten(1).sum(1).mul_(2).add_(smooth)
    denor = probs.pow(p).add(labels.pow(p)).flatten(1).sum(1).add_(smooth)
    return numer.div_(denor).neg_().add_(1.0).mean()


# case: augmented(logits(2, 3, 4), mask(2, 3, 4))
def augmented(logits, target):
    p = torch.sigmoid(logits)
    p = p * 1
    p *= 0.9
    p += 0.05
    total = p.sum()
    total += target.sum()
    inter = (p * target).sum()
    inter *= 2
    loss = 1 - inter / total
    loss **= 2
    return loss


# case: channel_by_channel(logits(2, 3, 4), mask(2, 3, 4))
def channel_by_channel(logits, target):
    """A result array filled class by class."""
    out = torch.zeros(logits.size(0), logits.size(1))
    for c in range(logits.size(1)):
        p = logits[:, c].sigmoid()
        out[:, c] = 2 * (p * target[:, c]).sum(1) / (p.sum(1) + target[:, c].sum(1))
    out[:, 0] *= 0.5
    out[0] += 0.1
    return 1 - out.mean()


# case: copied_into(probabilities(2, 2, 4), mask(2, 2, 4))
def copied_into(p, t):
    both = torch.empty(2, 2, 4)
    both.copy_(p)
    both[..., 1:3].mul_(2)
    view = both.view(-1)
    view.clamp_(max=1.2)
    return 1 - 2 * (both * t).sum() / (both.sum() + t.sum())


# case: filled_masks(logits(2, 3, 4), mask(2, 3, 4), bools(2, 3, 4))
def filled_masks(logits, target, valid):
    target = target.clone()
    target[valid == 0] = 0
    target.masked_fill_(target > 1, 1)
    p = logits.sigmoid().clone()
    p[~valid] = 0.5
    p[:, 0] = p[:, 0].clone() ** 2
    return 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)


# case: assigned_values(probabilities(2, 5), mask(2, 5), bools(2, 5))
def assigned_values(p, t, valid):
    """The entries that a mask picks take values that it picked elsewhere."""
    q = torch.zeros_like(p)
    q[valid] = p[valid] * 2
    q[~valid] += 0.25
    return 1 - 2 * (q * t).sum() / (q.sum() + t.sum())


# case: of_signs(logits(2, 3, 4), mask(2, 3, 4))
def of_signs(logits, target):
    """The target that it is given is changed: from 0 and 1 to -1 and 1."""
    target.mul_(2).sub_(1)
    hinge = F.relu(1 - logits * target)
    return hinge.mean() + 0.1 * target.sum() / target.numel()


# case: shifted(probabilities(2, 3, 4), labels(2, 4, classes=3))
def shifted(p, labels):
    """Labels from 1 on, made labels from 0 on where they are."""
    labels += 1
    labels -= 1
    labels %= 2
    picked = p.gather(1, labels.unsqueeze(1))
    return 1 - picked.mean() + 0 * labels.sum()


class Warming(torch.nn.Module):
    """Counts its calls, and weighs by their number."""

    def __init__(self, steps=4):
        super().__init__()
        self.steps = steps
        self.step = 0
        self.register_buffer("running", torch.zeros(1))

    def forward(self, logits, target):
        self.step += 1
        p = torch.sigmoid(logits)
        share = target.mean()
        self.running = 0.9 * self.running + 0.1 * share
        dice = 1 - 2 * (p * target).sum() / (p.sum() + target.sum())
        weight = min(1.0, self.step / self.steps)
        return weight * dice + self.running.mean() * F.binary_cross_entropy(p, target)


# case: Warming(steps=each(4, 1))(logits(2, 1, 5), mask(2, 1, 5))
