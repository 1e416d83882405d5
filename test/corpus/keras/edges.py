"""Boundaries by convolutions, in keras.ops and on the older backend."""

import numpy as np
from keras import ops
from tensorflow.keras import backend as K


# case: laplacian(mask(2, 5, 6, 1), probabilities(2, 5, 6, 1))
def laplacian(y_true, y_pred):
    kernel = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    kernel = ops.reshape(ops.convert_to_tensor(kernel, dtype=y_pred.dtype), (3, 3, 1, 1))
    a = ops.conv(y_true, kernel, strides=1, padding="same")
    b = ops.conv(y_pred, kernel, strides=1, padding="same")
    return ops.mean(ops.abs(a - b))


# case: by_class(mask(2, 5, 6, 2), probabilities(2, 5, 6, 2))
def by_class(y_true, y_pred):
    kernel = ops.ones((3, 3, 2, 1), dtype=y_pred.dtype) / 9
    blurred = ops.depthwise_conv(y_pred, kernel, padding="same")
    return ops.sum(ops.square(blurred - y_true))


# case: backend_boundary(mask(2, 5, 6, 1), probabilities(2, 5, 6, 1))
def backend_boundary(y_true, y_pred):
    kernel = K.constant(np.ones((3, 3, 1, 1)) / 9, dtype="float64")
    a = K.conv2d(y_pred, kernel, padding="same")
    b = K.conv2d(y_true, kernel, strides=(1, 1), padding="same")
    w = 1 + 5 * K.abs(b - y_true)
    moved = K.bias_add(a, K.constant([0.25], dtype="float64"))
    return K.sum(w * K.square(moved - y_true)) / K.sum(w)


# case: wide(probabilities(2, 4, 3), mode=each("constant", "reflect", "symmetric"))
def wide(p, mode):
    padded = ops.pad(p, [[0, 0], [1, 2], [2, 1]], mode=mode)
    line = ops.pad(p[0, 0], 1, constant_values=0.5) * ops.pad(p[1, 1], (1, 1))
    return ops.sum(padded**3) + ops.sum(line**2)


# case: repeated(probabilities(2, 3, 1), mask(2, 3, 4))
def repeated(p, t):
    wide = K.repeat_elements(p, 4, axis=-1) * t
    return K.sum(wide) + K.sum(K.repeat_elements(p, 2, axis=1) ** 2)


# case: likeness(mask(2, 7, 8, 2), probabilities(2, 7, 8, 2))
def likeness(y_true, y_pred):
    ssim = ops.image.ssim(y_true, y_pred, max_val=1.0, filter_size=5)
    small = ops.image.ssim(y_true, y_pred, 1.0, 4, 1.0, k1=0.02)
    return ops.mean(1.0 - ssim) + ops.sum(small**2) - 0.01 * ops.psnr(y_true, y_pred, 1.0)


# case: sobel(mask(2, 5, 6, 3), probabilities(2, 5, 6, 3))
def sobel(y_true, y_pred):
    grey = ops.image.rgb_to_grayscale(y_pred)
    d = ops.image.sobel_edges(y_true) - ops.image.sobel_edges(y_pred)
    fine = ops.image.resize(grey, (10, 12), interpolation="nearest")
    return ops.mean(ops.sqrt(ops.sum(d**2, axis=-1) + 1e-6)) + ops.mean(fine**3)


# case: framed(mask(2, 3, 4, 1), probabilities(2, 3, 4, 1))
def framed(y_true, y_pred):
    wide = K.spatial_2d_padding(y_pred, padding=((1, 2), (0, 1)))
    fine = K.resize_images(y_pred, 2, 3, "channels_last")
    rows = K.repeat(y_pred[:, 0, :, 0], 3) * K.reverse(y_true[..., 0], axes=[1, 2])
    curve = K.cumsum(y_pred, axis=1) * K.cumprod(y_pred, axis=2) + K.softsign(y_pred)
    limited = K.relu(2.0 * y_pred - 1.0, max_value=0.5)
    limited = limited[..., 0] + K.temporal_padding(y_pred[..., 0])[:, 1:4]
    return (
        K.sum(wide**3)
        + K.sum(fine[:, 1::2, ::3] ** 2 * y_true)
        + K.sum(rows)
        + K.sum(curve)
        + K.sum(limited)
    )
