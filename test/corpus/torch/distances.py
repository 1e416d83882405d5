"""Losses that weigh by distances to the border of a mask, or look at its components."""

import numpy as np
import torch
import torch.nn as nn
from scipy import ndimage
from scipy.ndimage import distance_transform_edt as edt


# case: HausdorffDT()(probabilities(2, 1, 9, 8), mask(2, 1, 9, 8))
# case: HausdorffDT(alpha=1.0)(probabilities(1, 1, 4, 5, 6), mask(1, 1, 4, 5, 6))
class HausdorffDT(nn.Module):
    """The squared error, weighed by the distances of both masks' borders.

    D. Karimi, S. E. Salcudean, "Reducing the Hausdorff Distance in Medical Image Segmentation with
    Convolutional Neural Networks", IEEE TMI 39 (2020), equation 8.
    """

    def __init__(self, alpha=2.0):
        super().__init__()
        self.alpha = alpha

    @torch.no_grad()
    def field(self, images):
        field = np.zeros_like(images)
        for k in range(len(images)):
            inside = images[k] > 0.5
            if inside.any():
                field[k] = edt(inside) + edt(~inside)
        return field

    def forward(self, p, g):
        own = torch.from_numpy(self.field(p.detach().cpu().numpy()))
        true = torch.from_numpy(self.field(g.cpu().numpy()))
        return ((p - g) ** 2 * (own**self.alpha + true**self.alpha)).mean()


# case: boundary(simplex(2, 3, 7, 6), mask(2, 3, 7, 6))
# case: boundary(simplex(2, 2, 7, 6), mask(2, 2, 7, 6), spacing=(2.0, 0.5))
def boundary(probs, target, spacing=None):
    """Signed distances times probabilities.

    H. Kervadec et al., "Boundary loss for highly unbalanced segmentation", MIDL 2019, equation 5.
    """
    signed = np.zeros(tuple(target.shape), dtype=np.float64)
    for b, sample in enumerate(target.numpy()):
        for c, plane in enumerate(sample.astype(bool)):
            if plane.any():
                outside = edt(~plane, sampling=spacing) * ~plane
                signed[b, c] = outside - (edt(plane, sampling=spacing) - 1) * plane
    return (probs[:, 1:] * torch.from_numpy(signed[:, 1:]).to(probs.dtype)).mean()


# case: blobs(probabilities(9, 8), mask(9, 8))
# case: blobs(probabilities(9, 8), mask(9, 8), corners=True)
def blobs(p, g, corners=False):
    """The mean Dice loss over the components of the mask.

    F. Kofler et al., "blob loss: instance imbalance aware loss functions for semantic segmentation",
    IPMI 2023, equation 3.
    """
    structure = np.ones((3, 3)) if corners else None
    found, count = ndimage.label(g.numpy(), structure=structure)
    found = torch.from_numpy(found)
    losses = []
    for k in range(1, count + 1):
        own = found == k
        rest = (found > 0) & ~own
        q = torch.where(rest, torch.zeros_like(p), p)
        losses.append(1 - (2 * (q * own).sum() + 1) / (q.sum() + own.sum() + 1))
    return torch.stack(losses).mean()


# case: edges_only(logits(1, 8, 9), mask(1, 8, 9))
def edges_only(z, g):
    """Cross entropy in a band around the border."""
    m = g.numpy() > 0
    wide = ndimage.binary_dilation(m, iterations=2)
    narrow = ndimage.binary_erosion(m, border_value=1)
    band = torch.from_numpy(wide & ~narrow)
    return nn.functional.binary_cross_entropy_with_logits(z[band], g[band])


# case: inside(logits(2, 50, 7), mask(50, 7))
def inside(z, g):
    """Means over more entries than a vector holds, which a mask picks."""
    p = z[:, g > 0].sigmoid()
    return 1 - (2 * p.mean(1) + 1).sum() / ((p**2).sum() + g.sum() + 1)
