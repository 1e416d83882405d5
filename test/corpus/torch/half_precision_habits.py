"""Losses as people train them in half precision: what they cast, flatten, square and smooth."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: squared_dice(probabilities(7), mask(7))
# case: squared_dice(probabilities(3, 1001), mask(3, 1001))
# case: squared_dice(probabilities(200000), mask(200000))
def squared_dice(pred, target, smooth=1.0):
    pred = pred.contiguous().view(-1)
    target = target.contiguous().view(-1)
    intersection = (pred * target).sum()
    return 1 - (2 * intersection + smooth) / (pred.pow(2).sum() + target.pow(2).sum() + smooth)


# case: monai_like(logits(2, 3, 9, 11), onehot(2, 3, 9, 11))
# case: monai_like(logits(2, 3, 9, 11), onehot(2, 3, 9, 11), batch=True, jaccard=True)
# case: monai_like(logits(2, 3, 4, 17, 13), onehot(2, 3, 4, 17, 13), squared=True)
# case: monai_like(logits(1, 2, 128, 130), onehot(1, 2, 128, 130))
def monai_like(input, target, batch=False, jaccard=False, squared=False):
    input = torch.softmax(input, 1)
    axes = list(range(2, input.ndim))
    if batch:
        axes = [0] + axes
    intersection = torch.sum(target * input, dim=axes)
    if squared:
        ground = torch.sum(target**2, dim=axes)
        predicted = torch.sum(input**2, dim=axes)
    else:
        ground = torch.sum(target, dim=axes)
        predicted = torch.sum(input, dim=axes)
    denominator = ground + predicted
    if jaccard:
        denominator = 2.0 * (denominator - intersection)
    return torch.mean(1.0 - (2.0 * intersection + 1e-5) / (denominator + 1e-5))


# case: nnunet_like(logits(2, 4, 6, 7, 5), onehot(2, 4, 6, 7, 5))
# case: nnunet_like(logits(2, 4, 6, 7, 5), onehot(2, 4, 6, 7, 5), batch_dice=True, do_bg=True)
def nnunet_like(x, y, batch_dice=False, do_bg=False, smooth=1e-5):
    x = torch.softmax(x, 1)
    axes = tuple(range(2, x.ndim))
    if not do_bg:
        x = x[:, 1:]
        y = y[:, 1:]
    sum_gt = y.sum(axes)
    intersect = (x * y).sum(axes)
    sum_pred = x.sum(axes)
    if batch_dice:
        intersect = intersect.sum(0)
        sum_pred = sum_pred.sum(0)
        sum_gt = sum_gt.sum(0)
    dc = (2 * intersect + smooth) / torch.clip(sum_gt + sum_pred + smooth, 1e-8)
    return -dc.mean()


# case: keras_like(mask(5, 33, 31, 1), probabilities(5, 33, 31, 1))
# case: keras_like(mask(2, 200, 190, 1), probabilities(2, 200, 190, 1))
def keras_like(y_true, y_pred, smooth=1e-6):
    y_true_f = torch.flatten(y_true)
    y_pred_f = torch.flatten(y_pred)
    intersection = torch.sum(y_true_f * y_pred_f)
    return 1.0 - (2.0 * intersection + smooth) / (torch.sum(y_true_f) + torch.sum(y_pred_f) + smooth)


# case: tversky(logits(3, 1, 41, 13), mask(3, 1, 41, 13))
# case: tversky(logits(3, 1, 41, 13), mask(3, 1, 41, 13), gamma=0.75)
# case: tversky(logits(1, 1, 41, 130), mask(1, 1, 41, 130), gamma=4 / 3)
def tversky(pred, target, alpha=0.3, beta=0.7, gamma=1.0, smooth=1):
    pred = torch.sigmoid(pred).view(-1)
    target = target.view(-1)
    tp = (pred * target).sum()
    fp = ((1 - target) * pred).sum()
    fn = (target * (1 - pred)).sum()
    return (1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)) ** gamma


# case: weighted_classes(logits(2, 3, 15, 17), onehot(2, 3, 15, 17), weights(3))
def weighted_classes(logit, target, weight):
    p = F.softmax(logit, dim=1)
    inter = torch.einsum("bchw,bchw->bc", p, target)
    union = torch.einsum("bchw->bc", p) + torch.einsum("bchw->bc", target)
    per_class = 1 - (2 * inter + 1e-7) / (union + 1e-7)
    return (per_class * weight).sum() / weight.sum() / logit.shape[0]


# case: generalized(simplex(2, 3, 19, 21), onehot(2, 3, 19, 21))
# case: generalized(simplex(2, 3, 1900), onehot(2, 3, 1900))
def generalized(p, g, eps=1e-6):
    p = p.flatten(2)
    g = g.flatten(2)
    w = 1.0 / (g.sum(-1) ** 2).clamp(min=eps)
    num = (w * (p * g).sum(-1)).sum(1)
    den = (w * (p + g).sum(-1)).sum(1)
    return (1 - 2 * num / den.clamp_min(eps)).mean()


# case: ignore_index(logits(2, 3, 13, 9), labels(2, 13, 9, classes=3))
def ignore_index(logit, target, ignore=1):
    valid = (target != ignore).unsqueeze(1)
    hot = F.one_hot(target, 3).permute(0, 3, 1, 2).to(logit.dtype)
    p = logit.softmax(dim=1) * valid
    hot = hot * valid
    inter = (p * hot).sum(dim=(0, 2, 3))
    card = (p + hot).sum(dim=(0, 2, 3))
    return 1 - ((2 * inter + 1) / (card + 1)).mean()


# case: upcast(logits(2, 1, 37, 41), mask(2, 1, 37, 41))
def upcast(logit, target):
    p = logit.sigmoid().float()
    t = target.float()
    inter = (p * t).sum((1, 2, 3))
    return (1 - (2 * inter + 1e-8) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + 1e-8)).mean()


# case: halved(logits(2, 1, 37, 41), mask(2, 1, 37, 41))
def halved(logit, target):
    p = torch.sigmoid(logit.half())
    t = target.half()
    dice = (2.0 * (p * t).sum() + 1e-3) / (p.sum() + t.sum() + 1e-3)
    return 1 - dice


# case: rounded(probabilities(3, 700), mask(3, 700))
def rounded(p, t):
    p = p.to(torch.float32)
    t = t.to(torch.float32)
    num = 2 * torch.sum(p * t, dim=1)
    den = torch.sum(p * p, dim=1) + torch.sum(t, dim=1)
    return torch.mean(1 - num / (den + 1e-4))


# case: BCEDice()(logits(2, 1, 23, 29), mask(2, 1, 23, 29))
# case: BCEDice(pos=3.0)(logits(2, 1, 23, 29), mask(2, 1, 23, 29))
class BCEDice(nn.Module):
    def __init__(self, pos=None):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss(pos_weight=None if pos is None else torch.tensor([pos]))

    def forward(self, logit, target):
        p = torch.sigmoid(logit)
        num = target.size(0)
        p = p.view(num, -1)
        t = target.view(num, -1)
        inter = p * t
        dice = (2.0 * inter.sum(1) + 1e-5) / (p.sum(1) + t.sum(1) + 1e-5)
        return 0.5 * self.bce(logit, target) + 1 - dice.sum() / num


# case: focal_plus_dice(logits(2, 1, 23, 29), mask(2, 1, 23, 29))
def focal_plus_dice(logit, target, gamma=2.0, alpha=0.25):
    p = torch.sigmoid(logit)
    pt = p * target + (1 - p) * (1 - target)
    at = alpha * target + (1 - alpha) * (1 - target)
    focal = -(at * (1 - pt) ** gamma * torch.log(pt.clamp(min=1e-4))).mean()
    dice = 1 - (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
    return focal + dice


# case: class_powers(logits(2, 5, 4, 6), onehot(2, 5, 4, 6))
# case: class_powers(logits(1, 3, 40, 70), onehot(1, 3, 40, 70), gamma=0.6)
def class_powers(logit, target, gamma=1.7):
    p = logit.softmax(1)
    dice = (2 * (p * target).sum((2, 3)) + 1) / ((p + target).sum((2, 3)) + 1)
    return ((1 - dice) ** gamma).mean()


# case: log_cosh_dice(probabilities(2, 500), mask(2, 500))
def log_cosh_dice(p, t):
    x = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return torch.log((torch.exp(x) + torch.exp(-x)) / 2.0).mean()


# case: exponential_log(probabilities(3, 4, 300), mask(3, 4, 300))
def exponential_log(p, t, gamma=0.3):
    dice = (2 * (p * t).sum(2) + 1) / ((p + t).sum(2) + 1)
    return torch.pow(-torch.log(dice), gamma).mean()


# case: channels_last(logits(2, 3, 21, 18), onehot(2, 3, 21, 18))
def channels_last(logit, target):
    p = logit.permute(0, 2, 3, 1).reshape(-1, 3).softmax(-1)
    t = target.permute(0, 2, 3, 1).reshape(-1, 3)
    inter = (p * t).sum(0)
    return 1 - (2 * inter / (p.sum(0) + t.sum(0) + 1e-8)).mean()


# case: transposed(probabilities(4, 3, 51), mask(4, 3, 51))
# case: transposed(probabilities(4, 3, 5100), mask(4, 3, 5100))
def transposed(p, t):
    p = p.transpose(0, 1).contiguous().view(3, -1)
    t = t.transpose(0, 1).contiguous().view(3, -1)
    inter = (p * t).sum(-1)
    den = (p * p).sum(-1) + (t * t).sum(-1)
    return torch.mean(1 - 2 * inter / den.clamp(min=1e-6))


# case: looped(simplex(2, 4, 12, 12), onehot(2, 4, 12, 12))
def looped(p, t):
    total = 0
    for c in range(p.shape[1]):
        pc, tc = p[:, c], t[:, c]
        total += 1 - (2 * (pc * tc).sum() + 1e-5) / (pc.sum() + tc.sum() + 1e-5)
    return total / p.shape[1]


# case: means(probabilities(2, 1, 64, 65), mask(2, 1, 64, 65))
def means(p, t):
    inter = (p * t).mean(dim=(1, 2, 3))
    return (1 - 2 * inter / (p.mean(dim=(1, 2, 3)) + t.mean(dim=(1, 2, 3)) + 1e-6)).mean()


# case: iou_minus_log(probabilities(300), mask(300))
def iou_minus_log(p, t):
    inter = (p * t).sum()
    return -torch.log((inter + 1e-3) / (p.sum() + t.sum() - inter + 1e-3))


# case: sensitivity_specificity(probabilities(2, 3, 400), mask(2, 3, 400))
def sensitivity_specificity(p, t, r=0.1):
    error = (t - p) ** 2
    sens = (error * t).sum(-1) / (t.sum(-1) + 1e-5)
    spec = (error * (1 - t)).sum(-1) / ((1 - t).sum(-1) + 1e-5)
    return (r * sens + (1 - r) * spec).mean()


# case: tanh_dice(logits(2, 801), mask(2, 801))
def tanh_dice(x, t):
    p = 0.5 * (torch.tanh(x) + 1)
    return 1 - (2 * (p * t).sum() / (p.square().sum() + t.square().sum())).sqrt()


# case: hinge_dice(logits(2, 801), mask(2, 801))
def hinge_dice(x, t):
    p = F.relu(x) / (1 + F.relu(x))
    return 1 - (2 * (p * t).sum(1) + 0.1).div((p + t).sum(1).add(0.1)).mean()


# case: masked_sum(logits(2, 1, 30, 31), mask(2, 1, 30, 31), bools(2, 1, 30, 31))
def masked_sum(logit, target, keep):
    p = logit.sigmoid().masked_fill(~keep, 0.0)
    t = target.masked_fill(~keep, 0.0)
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: ce_and_dice(logits(2, 3, 8, 9), labels(2, 8, 9, classes=3))
def ce_and_dice(logit, target):
    logp = F.log_softmax(logit, dim=1)
    hot = torch.zeros_like(logit).scatter_(1, target.unsqueeze(1), 1)
    ce = -(hot * logp).sum(1).mean()
    p = logp.exp()
    dice = (2 * (p * hot).sum((0, 2, 3)) + 1) / ((p + hot).sum((0, 2, 3)) + 1)
    return ce + 1 - dice[1:].mean()


# case: wide(probabilities(1, 70000), mask(1, 70000))
def wide(p, t):
    ones = torch.ones_like(p)
    return 1 - 2 * torch.sum(p * t) / (torch.sum(p) + torch.sum(ones) + torch.sum(t))


# case: norm_dice(probabilities(2, 333), mask(2, 333))
def norm_dice(p, t):
    inter = (p * t).sum(1)
    return (1 - 2 * inter / (torch.linalg.vector_norm(p, dim=1) ** 2 + t.sum(1))).mean()


# case: matmul_dice(probabilities(1, 333), mask(1, 333))
def matmul_dice(p, t):
    inter = p @ t.T
    return (1 - (2 * inter + 1) / (p.sum() + t.sum() + 1)).mean()
