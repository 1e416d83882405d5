"""Ways in which people turn a map of class numbers into a one-hot target."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: dice_eye_rows(logits(2, 3, 4, 5), labels(2, 1, 4, 5, classes=3))
# case: dice_eye_rows(logits(1, 4, 6, 2), labels(1, 1, 6, 2, classes=4), eps=1e-3)
# case: dice_eye_rows(logits(3, 1, 4, 5), labels(3, 1, 4, 5, classes=2))
def dice_eye_rows(logits, true, eps=1e-7):
    """Rows of an identity matrix picked by class; one channel gets its complement beside it."""
    num_classes = logits.shape[1]
    if num_classes == 1:
        true_1_hot = torch.eye(num_classes + 1)[true.squeeze(1)]
        true_1_hot = true_1_hot.permute(0, 3, 1, 2).float()
        true_1_hot_f = true_1_hot[:, 0:1, :, :]
        true_1_hot_s = true_1_hot[:, 1:2, :, :]
        true_1_hot = torch.cat([true_1_hot_s, true_1_hot_f], dim=1)
        pos_prob = torch.sigmoid(logits)
        neg_prob = 1 - pos_prob
        probas = torch.cat([pos_prob, neg_prob], dim=1)
    else:
        true_1_hot = torch.eye(num_classes)[true.squeeze(1)]
        true_1_hot = true_1_hot.permute(0, 3, 1, 2).float()
        probas = F.softmax(logits, dim=1)
    true_1_hot = true_1_hot.type(logits.type())
    dims = (0,) + tuple(range(2, true.ndimension()))
    intersection = torch.sum(probas * true_1_hot, dims)
    cardinality = torch.sum(probas + true_1_hot, dims)
    dice = (2. * intersection / (cardinality + eps)).mean()
    return 1 - dice


# case: dice_scatter(simplex(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: dice_scatter(simplex(1, 5, 3, 4, 2), labels(1, 1, 3, 4, 2, classes=5), smooth=0.5)
def dice_scatter(net_output, gt, smooth=1.):
    """scatter_ into zeros, under no_grad, with either rank of target."""
    axes = tuple(range(2, len(net_output.size())))
    shp_x = net_output.shape
    shp_y = gt.shape
    with torch.no_grad():
        if len(shp_x) != len(shp_y):
            gt = gt.view((shp_y[0], 1, *shp_y[1:]))
        if all([i == j for i, j in zip(net_output.shape, gt.shape)]):
            y_onehot = gt
        else:
            gt = gt.long()
            y_onehot = torch.zeros(shp_x)
            if net_output.device.type == "cuda":
                y_onehot = y_onehot.cuda(net_output.device.index)
            y_onehot.scatter_(1, gt, 1)
    tp = net_output * y_onehot
    fp = net_output * (1 - y_onehot)
    fn = (1 - net_output) * y_onehot
    for ax in sorted(axes, reverse=True):
        tp = tp.sum(int(ax))
        fp = fp.sum(int(ax))
        fn = fn.sum(int(ax))
    nominator = 2 * tp + smooth
    denominator = 2 * tp + fp + fn + smooth
    return -(nominator / denominator).mean()


# case: dice_scatter_src(logits(2, 3, 5), labels(2, 5, classes=3))
# case: dice_scatter_src(logits(2, 4, 3, 3), labels(2, 3, 3, classes=4))
def dice_scatter_src(score, target):
    """scatter with a source of ones."""
    index = target.unsqueeze(1)
    one_hot = torch.zeros_like(score).scatter(1, index, torch.ones_like(index, dtype=score.dtype))
    prob = score.softmax(1)
    num = (prob * one_hot).flatten(1).sum(1)
    den = (prob.pow(2) + one_hot).flatten(1).sum(1)
    return (1 - 2 * num / den.clamp(min=1e-6)).mean()


# case: dice_f_one_hot(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: dice_f_one_hot(logits(2, 4, 5), labels(2, 5, classes=4), ignore_background=True)
# case: dice_f_one_hot(logits(1, 3, 2, 3, 4), labels(1, 2, 3, 4, classes=3))
def dice_f_one_hot(logits, labels, ignore_background=False):
    """F.one_hot puts the classes last; a permutation of any rank brings them to axis 1."""
    classes = logits.size(1)
    hot = F.one_hot(labels, classes)
    hot = hot.permute(0, hot.dim() - 1, *range(1, hot.dim() - 1)).to(logits.dtype)
    prob = torch.softmax(logits, dim=1)
    if ignore_background:
        prob, hot = prob[:, 1:], hot[:, 1:]
    reduce_dims = list(range(2, prob.dim()))
    inter = (prob * hot).sum(dim=reduce_dims)
    union = prob.sum(dim=reduce_dims) + hot.sum(dim=reduce_dims)
    return (1 - (2 * inter + 1e-5) / (union + 1e-5)).mean()


# case: dice_label_list(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: dice_label_list(logits(1, 2, 6, 3), labels(1, 1, 6, 3, classes=2))
def dice_label_list(pred, label):
    """A list of comparisons, one a class, joined along the class axis."""
    n_class = pred.shape[1]
    target = torch.cat([(label == c).float() for c in range(n_class)], dim=1)
    pred = torch.softmax(pred, dim=1)
    loss = 0.0
    for i in range(0, n_class):
        score = pred[:, i]
        t = target[:, i]
        intersect = torch.sum(score * t)
        y_sum = torch.sum(t * t)
        z_sum = torch.sum(score * score)
        loss = loss + 1 - (2 * intersect + 1e-5) / (z_sum + y_sum + 1e-5)
    return loss / n_class


# case: dice_stacked_channels(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: dice_stacked_channels(logits(2, 5, 3, 2), labels(2, 3, 2, classes=5))
def dice_stacked_channels(pred, label, smooth=1e-3):
    """Integer masks in a list, stacked as a tuple, squeezed with NumPy's keyword."""
    masks = []
    for c in range(pred.shape[1]):
        masks.append((label == c).int().unsqueeze(1))
    one_hot = torch.squeeze(torch.stack(tuple(masks), dim=1), axis=2)
    pred = F.softmax(pred, dim=1)
    a = torch.sum(pred * one_hot, axis=(2, 3))
    b = torch.sum(pred * pred, axis=(2, 3))
    c = torch.sum(one_hot * one_hot, axis=(2, 3))
    d = (2 * a + smooth) / (b + c + smooth)
    return (1 - d).mean()


class OneHotFromBuffer(nn.Module):
    # case: OneHotFromBuffer(3)(logits(2, 3, 4), labels(2, 4, classes=3))
    # case: OneHotFromBuffer(4)(logits(1, 4, 3, 3), labels(1, 3, 3, classes=4))
    """Class numbers held in a buffer and compared with the target by broadcasting."""

    def __init__(self, classes):
        super().__init__()
        self.register_buffer("ids", torch.arange(classes))

    def forward(self, logits, labels):
        ids = self.ids.view(1, -1, *([1] * (logits.dim() - 2)))
        hot = (labels.unsqueeze(1) == ids).to(logits)
        p = logits.log_softmax(dim=1).exp()
        inter = (p * hot).sum()
        return 1 - 2 * inter / (p.sum() + hot.sum())


# case: gathered_probability(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: gathered_probability(logits(3, 4, 5), labels(3, 5, classes=4), gamma=1.5)
def gathered_probability(logits, labels, gamma=2.0):
    """Probability of the true class picked by gather, with a focal factor."""
    p = logits.softmax(dim=1)
    pt = p.gather(1, labels.unsqueeze(1)).squeeze(1)
    weight = (1 - pt) ** gamma
    soft = weight * pt
    return 1 - (2 * soft.sum() + 1) / (soft.sum() + labels.numel() + 1)


# case: along_dim(logits(2, 3, 4), labels(2, 4, classes=3))
def along_dim(logits, labels):
    """take_along_dim picks like gather."""
    picked = torch.take_along_dim(logits.softmax(1), labels[:, None], dim=1)
    return 1 - picked.mean()


# case: hits_and_misses_of_a_boolean_one_hot(probabilities(2, 3, 4, 5), labels(2, 4, 5, classes=3))
def hits_and_misses_of_a_boolean_one_hot(x, y):
    """A label map scattered into a boolean tensor, whose complement counts false positives."""
    with torch.no_grad():
        hot = torch.zeros(x.shape, dtype=torch.bool)
        hot.scatter_(1, y.unsqueeze(1), 1)
    axes = (0, 2, 3)
    hits = (x * hot).sum(axes)
    false_alarms = (x * ~hot).sum(axes)
    misses = ((1 - x) * hot).sum(axes)
    return 1 - ((2 * hits + 1) / (2 * hits + false_alarms + misses + 1)).mean()


# case: boolean_filled_where_soft(probabilities(2, 3, 4), soft(2, 3, 4))
def boolean_filled_where_soft(x, y):
    """A boolean tensor filled with a number remains boolean for its complement."""
    seen = torch.zeros(x.shape, dtype=torch.bool).masked_fill(y > 0.5, 1)
    return 1 - (2 * (x * seen).sum() + 1) / ((x * seen).sum() + (x * ~seen).sum() + seen.sum() + 1)
