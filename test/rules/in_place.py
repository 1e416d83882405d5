"""Losses that change arrays in place: some of them PyTorch's backward pass refuses."""

import torch


def clean_sum_loss(y_pred, y_true):
    total = y_pred.sum() + y_true.sum() + 1.0
    dice = (2 * (y_pred * y_true).sum() + 1.0) / total
    dice *= -1
    return dice + 1


def sigmoid_masked_loss(y_pred, y_true):
    p = torch.sigmoid(y_pred)
    p[y_true == 0] = 0
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 1)


def sigmoid_cloned_loss(y_pred, y_true):
    p = torch.sigmoid(y_pred).clone()
    p[y_true == 0] = 0
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 1)


def sum_masked_loss(y_pred, y_true):
    p = y_pred + 1.0
    p[y_true == 0] = 0
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 1)


def tanh_scaled_loss(y_pred, y_true):
    p = torch.tanh(y_pred)
    p *= 2
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 9)


def exp_scaled_loss(y_pred, y_true):
    p = y_pred.exp()
    p.mul_(y_true)
    return 1 - p.sum() / (y_true.sum() + 9)


def new_log_loss(y_pred, y_true):
    q = y_pred * 0.5
    l = torch.log(q + 3.0)
    q.add_(1.0)
    return (l * y_true).sum() + q.sum()


def own_log_loss(y_pred, y_true):
    q = y_pred * 0.5 + 3.0
    l = torch.log(q)
    q.add_(1.0)
    return (l * y_true).sum() + q.sum()


def product_with_target_loss(y_pred, y_true):
    p = y_pred * 0.5
    intersection = (p * y_true).sum()
    p *= 2
    return 1 - intersection / (p.sum() + y_true.sum() + 9)


def target_changed_loss(y_pred, y_true):
    t = y_true * 1.5
    intersection = (y_pred * t).sum()
    t[t > 1] = 1
    return 1 - intersection / (y_pred.sum() + t.sum() + 9)


def square_changed_loss(y_pred, y_true):
    p = y_pred * 0.5
    squares = (p * p).sum()
    p.zero_()
    return 1 - squares / (p.sum() + y_true.sum() + 9)


def through_view_loss(y_pred, y_true):
    p = torch.sigmoid(y_pred)
    flat = p.view(-1)
    flat[0] = 0
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 1)


def quotient_changed_loss(y_pred, y_true):
    total = y_pred.sum() + y_true.sum() + 9
    dice = (y_pred * y_true).sum() / total
    total += 1
    return 1 - dice - total * 0.01


def sum_changed_loss(y_pred, y_true):
    intersection = (y_pred * y_true).sum()
    intersection += 1
    return 1 - intersection / (y_pred.sum() + y_true.sum() + 9)


def loop_sum_loss(y_pred, y_true):
    total = torch.zeros(())
    for c in range(2):
        p = torch.sigmoid(y_pred[:, c])
        total += 1 - (p * y_true[:, c]).sum() / (p.sum() + y_true[:, c].sum() + 1)
    return total / 2


def own_argument_loss(y_pred, y_true):
    y_pred[y_true == 0] = 0
    return 1 - (y_pred * y_true).sum() / (y_pred.sum() + y_true.sum() + 9)


def softmax_changed_loss(y_pred, y_true):
    p = torch.softmax(y_pred, dim=1)
    p[:, 0] = 0
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 1)


def clamped_loss(y_pred, y_true):
    p = torch.sigmoid(y_pred)
    p.clamp_(1e-3, 1 - 1e-3)
    return -(y_true * torch.log(p)).sum()


def relu_changed_loss(y_pred, y_true):
    p = torch.relu(y_pred)
    p += 0.5
    return 1 - (p * y_true).sum() / (p.sum() + y_true.sum() + 9)
