"""Losses whose library is not installed, written out plainly from their formula.

Each stands under the name that the catalogue gives it. Arrays have channels first, (b, c, ...), or
last where the catalogue says so; `b`, `c` and `x` below are batch, class and space.
"""

import types

import torch

F = torch.nn.functional


def space(p):
    return tuple(range(2, p.ndim))


def space_last(p):
    return tuple(range(1, p.ndim - 1))


def matched_masks(inputs, targets, count):
    p, t = inputs.sigmoid().flatten(1), targets.flatten(1)
    loss = 1 - (2 * (p * t).sum(-1) + 1) / (p.sum(-1) + t.sum(-1) + 1)
    return loss.sum() / count


def detr(inputs, targets, num_boxes):
    return matched_masks(inputs, targets, num_boxes)


def mask_former(inputs, targets, num_masks):
    return matched_masks(inputs, targets, num_masks)


def sam(inputs, targets, num_objects):
    return matched_masks(inputs, targets, num_objects)


def milesial(input, target, multiclass=False):
    overlap = 2 * (input * target).sum()
    total = input.sum() + target.sum()
    total = torch.where(total == 0, overlap, total)
    return 1 - (overlap + 1e-6) / (total + 1e-6)


def normalize(z, normalization):
    return {"sigmoid": torch.sigmoid, "softmax": lambda y: y.softmax(1), "none": lambda y: y}[
        normalization
    ](z)


def classes_first(a):
    return a.transpose(0, 1).flatten(1)


class Wolny(torch.nn.Module):
    def __init__(self, weight=None, normalization="sigmoid"):
        super().__init__()
        self.weight = 1.0 if weight is None else torch.tensor(weight)
        self.normalization = normalization

    def forward(self, input, target):
        p = classes_first(normalize(input, self.normalization))
        t = classes_first(target)
        overlap = (p * t).sum(1) * self.weight
        total = (p * p).sum(1) + (t * t).sum(1)
        return 1 - (2 * overlap / total.clamp(min=1e-6)).mean()


class WolnyGeneralized(torch.nn.Module):
    def __init__(self, normalization="sigmoid", epsilon=1e-6):
        super().__init__()
        self.normalization, self.epsilon = normalization, epsilon

    def forward(self, input, target):
        p = classes_first(normalize(input, self.normalization))
        t = classes_first(target)
        if p.shape[0] == 1:
            p, t = torch.cat((p, 1 - p)), torch.cat((t, 1 - t))
        volume = t.sum(1)
        weight = 1 / (volume * volume).clamp(min=self.epsilon)
        total = ((p + t).sum(1) * weight).clamp(min=self.epsilon)
        return 1 - 2 * ((p * t).sum(1) * weight).sum() / total.sum()


class CoinCheung(torch.nn.Module):
    def __init__(self, p=1, smooth=1.0):
        super().__init__()
        self.p, self.smooth = p, smooth

    def forward(self, logits, labels):
        q = logits.sigmoid()
        total = q.pow(self.p).sum() + labels.pow(self.p).sum()
        return 1 - (2 * (q * labels).sum() + self.smooth) / (total + self.smooth)


class Hubutui(torch.nn.Module):
    def __init__(self, smooth=1, p=2, reduction="mean"):
        super().__init__()
        self.smooth, self.p, self.reduction = smooth, p, reduction

    def forward(self, predict, target):
        q, t = predict.flatten(1), target.flatten(1)
        total = (q.pow(self.p) + t.pow(self.p)).sum(1)
        loss = 1 - ((q * t).sum(1) + self.smooth) / (total + self.smooth)
        return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[self.reduction]


def one_hot(labels, classes):
    return F.one_hot(labels, classes).movedim(-1, 1)


def goodies(true, logits, eps=1e-7):
    if logits.shape[1] == 1:
        foreground = logits.sigmoid()
        p = torch.cat((foreground, 1 - foreground), 1)
        t = torch.cat((true, 1 - true), 1)
    else:
        p, t = logits.softmax(1), one_hot(true[:, 0], logits.shape[1])
    over = (0, *space(p))
    return 1 - (2 * (p * t).sum(over) / ((p + t).sum(over) + eps)).mean()


class Paddle(torch.nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, labels):
        counted = (labels != 255).unsqueeze(1)
        p = logits.softmax(1) * counted
        t = one_hot(torch.where(labels == 255, 0, labels), logits.shape[1]) * counted
        over = space(p)
        total = p.sum(over) + t.sum(over) + self.smooth + 1e-8
        return (1 - (2 * (p * t).sum(over) + self.smooth) / total).mean()


class VoxelMorph(torch.nn.Module):
    def forward(self, y_true, y_pred):
        over = space(y_pred)
        total = (y_true + y_pred).sum(over).clamp(min=1e-5)
        return -(2 * (y_true * y_pred).sum(over) / total).mean()


class VoxelMorphTF(torch.nn.Module):
    def forward(self, y_true, y_pred):
        over = space_last(y_pred)
        top, bottom = 2 * (y_true * y_pred).sum(over), (y_true + y_pred).sum(over)
        safe = torch.where(bottom == 0, torch.ones_like(bottom), bottom)
        return -torch.where(bottom == 0, torch.zeros_like(top), top / safe).mean()


class FScore(torch.nn.Module):
    def __init__(self, beta=1, class_weights=None, per_image=False, smooth=1e-5):
        super().__init__()
        self.square, self.per_image, self.smooth = beta**2, per_image, smooth
        self.weights = 1.0 if class_weights is None else torch.tensor(class_weights)

    def forward(self, gt, pr):
        over = space_last(pr) if self.per_image else (0, *space_last(pr))
        tp = (gt * pr).sum(over)
        fp, fn = pr.sum(over) - tp, gt.sum(over) - tp
        top = (1 + self.square) * tp + self.smooth
        return 1 - (self.weights * top / (top + self.square * fn + fp)).mean()


def dice_coe(output, target, loss_type="jaccard", smooth=1e-5):
    over = tuple(range(1, output.ndim))
    power = 2 if loss_type == "jaccard" else 1
    total = output.pow(power).sum(over) + target.pow(power).sum(over)
    return ((2 * (output * target).sum(over) + smooth) / (total + smooth)).mean()


class Ivadomed(torch.nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, prediction, target):
        top = 2 * (prediction * target).sum() + self.smooth
        return -top / (prediction.sum() + target.sum() + self.smooth)


# Papers: p and t are probabilities and targets.


def ratio(p, t, smooth, power=1):
    over = space(p)
    total = p.pow(power).sum(over) + t.pow(power).sum(over)
    return (2 * (p * t).sum(over) + smooth) / (total + smooth)


def dice(p, t, smooth=0.0):
    return (1 - ratio(p, t, smooth)).mean()


def vnet_dice(p, t, smooth=0.0):
    return (1 - ratio(p, t, smooth, 2)).mean()


def generalized(p, t):
    over = space(p)
    weight = 1 / t.sum(over) ** 2
    return 1 - 2 * (weight * (p * t).sum(over)).sum(1) / (weight * (p + t).sum(over)).sum(1)


def generalized_dice(p, t):
    return generalized(p, t).mean()


def penalty_generalized_dice(p, t, k=2.5):
    loss = generalized(p, t)
    return (loss / (1 + k * (1 - loss))).mean()


def tversky_index(p, t, positive, negative, smooth):
    over = space(p)
    tp, fp, fn = (p * t).sum(over), (p * (1 - t)).sum(over), ((1 - p) * t).sum(over)
    return (tp + smooth) / (tp + positive * fp + negative * fn + smooth)


def tversky(p, t, alpha=0.3, beta=0.7, smooth=0.0):
    return (1 - tversky_index(p, t, alpha, beta, smooth)).mean()


def focal_tversky(p, t, alpha=0.7, beta=0.3, gamma=4 / 3, smooth=0.0):
    index = tversky_index(p, t, beta, alpha, smooth)
    return (1 - index).pow(1 / gamma).sum(1).mean()


def log_cosh_dice(p, t, smooth=1.0):
    loss = 1 - (2 * (p * t).sum() + smooth) / ((p + t).sum() + smooth)
    return torch.log(torch.cosh(loss))


def l1_overlap(p, t):
    over = space(p)
    total = (p + t).sum(over)
    return (total - (p - t).abs().sum(over)) / 2, total


def dice_semimetric(p, t, smooth=0.0):
    overlap, total = l1_overlap(p, t)
    return (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def jaccard_metric(p, t, smooth=0.0):
    overlap, total = l1_overlap(p, t)
    return (1 - (overlap + smooth) / (total - overlap + smooth)).mean()


def soft_jaccard(p, t, smooth=0.0):
    over = space(p)
    overlap = (p * t).sum(over)
    return (1 - (overlap + smooth) / ((p + t).sum(over) - overlap + smooth)).mean()


def combo(p, t, alpha=0.5, beta=0.5, smooth=1.0):
    entropy = -(beta * t * p.log() + (1 - beta) * (1 - t) * (1 - p).log()).mean()
    score = (2 * (p * t).sum() + smooth) / ((p + t).sum() + smooth)
    return alpha * entropy - (1 - alpha) * score


def exponential_logarithmic(p, t, w_dice=0.8, w_cross=0.2, gamma=0.3, smooth=1.0):
    score = ratio(p, t, smooth)
    entropy = (t * (-p.log()).pow(gamma)).sum(1).mean()
    return w_dice * (-score.log()).pow(gamma).mean() + w_cross * entropy


def dice_plus_plus(p, t, gamma=2.0, smooth=0.0):
    over = space(p)
    overlap = 2 * (p * t).sum(over)
    errors = ((1 - p) * t).pow(gamma).sum(over) + (p * (1 - t)).pow(gamma).sum(over)
    return (1 - (overlap + smooth) / (overlap + errors + smooth)).mean()


def sensitivity_specificity(p, t, r=0.05):
    error = (t - p) ** 2
    background = 1 - t
    return r * (error * t).sum() / t.sum() + (1 - r) * (error * background).sum() / background.sum()


def self_adjusting_dice(p, t, alpha=1.0, smooth=1.0):
    q = (1 - p) ** alpha * p
    return (1 - (2 * q * t + smooth) / (q + t + smooth)).mean()


NAMES = {
    "detr.models.segmentation.dice_loss": detr,
    "mask_former.modeling.criterion.dice_loss": mask_former,
    "mask2former.modeling.criterion.dice_loss": mask_former,
    "sam2.training.loss_fns.dice_loss": sam,
    "utils.dice_score.dice_loss": milesial,
    "pytorch3dunet.unet3d.losses.DiceLoss": Wolny,
    "pytorch3dunet.unet3d.losses.GeneralizedDiceLoss": WolnyGeneralized,
    "pytorch_loss.SoftDiceLossV1": CoinCheung,
    "hubutui.loss.BinaryDiceLoss": Hubutui,
    "pytorch_goodies.losses.dice_loss": goodies,
    "paddleseg.models.losses.DiceLoss": Paddle,
    "voxelmorph.torch.losses.Dice": VoxelMorph,
    "voxelmorph.tf.losses.Dice": VoxelMorphTF,
    "segmentation_models.losses.DiceLoss": FScore,
    "tensorlayer.cost.dice_coe": dice_coe,
    "ivadomed.losses.DiceLoss": Ivadomed,
}
PAPERS = (
    dice,
    vnet_dice,
    generalized_dice,
    penalty_generalized_dice,
    tversky,
    focal_tversky,
    log_cosh_dice,
    dice_semimetric,
    jaccard_metric,
    soft_jaccard,
    combo,
    exponential_logarithmic,
    dice_plus_plus,
    sensitivity_specificity,
    self_adjusting_dice,
)
NAMES |= {f"papers.{f.__name__}": f for f in PAPERS}


def namespaces():
    """Objects below which each name above is found by its dots."""
    roots = types.SimpleNamespace()
    for name, value in NAMES.items():
        *parents, last = name.split(".")
        at = roots
        for part in parents:
            if not hasattr(at, part):
                setattr(at, part, types.SimpleNamespace())
            at = getattr(at, part)
        setattr(at, last, value)
    return vars(roots)
