"""Boundaries by convolutions with fixed windows, by differences of neighbours, and on padded arrays."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K


# case: laplacian_loss(mask(2, 5, 6, 1), probabilities(2, 5, 6, 1))
def laplacian_loss(y_true, y_pred):
    kernel = tf.constant([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]], y_pred.dtype)
    kernel = tf.reshape(kernel, [3, 3, 1, 1])
    edges_true = tf.nn.relu(tf.nn.conv2d(y_true, kernel, strides=[1, 1, 1, 1], padding="SAME"))
    edges_pred = tf.nn.relu(tf.nn.conv2d(y_pred, kernel, strides=[1, 1, 1, 1], padding="SAME"))
    return tf.reduce_mean(tf.abs(edges_true - edges_pred))


# case: laplacian_of_classes(mask(2, 5, 6, 2), probabilities(2, 5, 6, 2))
def laplacian_of_classes(y_true, y_pred):
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)
    kernel = tf.tile(tf.constant(kernel)[:, :, tf.newaxis, tf.newaxis], [1, 1, 2, 1])
    d = tf.nn.depthwise_conv2d(y_true - y_pred, kernel, [1, 1, 1, 1], "SAME")
    return tf.reduce_sum(tf.square(d))


# case: several_windows(mask(2, 5, 6, 2), probabilities(2, 5, 6, 2))
def several_windows(y_true, y_pred):
    """Two windows for each channel, and all channels in every window."""
    rows = tf.constant([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]], tf.float64)
    kernel = tf.stack([rows, tf.transpose(rows)], axis=-1)[:, :, None, :]
    each = tf.nn.depthwise_conv2d(y_pred, tf.tile(kernel, [1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    table = tf.reshape(tf.range(36.0, dtype=tf.float64), [2, 3, 2, 3])
    mixed = tf.nn.conv2d(y_pred, table, 1, "VALID")
    true = tf.nn.depthwise_conv2d(y_true, tf.tile(kernel, [1, 1, 2, 1]), [1, 1, 1, 1], "VALID")
    weighted = each * tf.reshape(tf.range(4.0, dtype=tf.float64), [1, 1, 1, 4])
    return tf.reduce_mean(tf.abs(weighted - true)) + 0.01 * tf.reduce_mean(tf.square(mixed))


# case: strides_and_gaps(probabilities(2, 7, 6, 1), mask(2, 7, 6, 1), padding=each("SAME", "VALID"))
def strides_and_gaps(p, t, padding):
    kernel = tf.reshape(tf.constant([1.0, -2.0, 0.5, 3.0, 1.0, 0.25], p.dtype), [2, 3, 1, 1])
    far = tf.nn.conv2d(p - t, kernel, strides=2, padding=padding)
    wide = tf.nn.convolution(p - t, kernel, padding=padding, dilations=[2, 1])
    return tf.reduce_sum(far**2) + tf.reduce_sum(tf.abs(wide))


# case: along_lines_and_through_volumes(probabilities(2, 6, 2), soft(1, 3, 4, 3, 1))
def along_lines_and_through_volumes(p, v):
    line = tf.reshape(tf.constant([1.0, 0.0, -1.0, 2.0, 1.0, 0.5], p.dtype), [3, 2, 1])
    cube = tf.reshape(tf.range(8.0, dtype=p.dtype), [2, 2, 2, 1, 1])
    smooth = tf.nn.conv3d(v, cube, [1, 1, 1, 1, 1], "SAME")
    return tf.reduce_sum(tf.nn.conv1d(p, line, 1, "SAME") ** 2) * tf.reduce_mean(smooth)


# case: explicit_padding(probabilities(1, 4, 4, 1))
def explicit_padding(p):
    kernel = tf.ones([3, 3, 1, 1], p.dtype)
    wide = tf.nn.conv2d(p, kernel, 1, [[0, 0], [1, 2], [0, 1], [0, 0]])
    return tf.reduce_sum(wide**2)


# case: sobel_loss(mask(2, 5, 6, 2), probabilities(2, 5, 6, 2))
def sobel_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.image.sobel_edges(y_true) - tf.image.sobel_edges(y_pred)))


# case: sobel_magnitude(mask(2, 5, 6, 1), probabilities(2, 5, 6, 1))
def sobel_magnitude(y_true, y_pred):
    edges = tf.image.sobel_edges(y_pred)
    size = tf.sqrt(tf.reduce_sum(edges**2, axis=-1) + 1e-6)
    return tf.reduce_mean(tf.abs(size - tf.reduce_sum(tf.image.sobel_edges(y_true), axis=-1)))


# case: gradient_loss(mask(2, 5, 6, 1), probabilities(2, 5, 6, 1))
def gradient_loss(y_true, y_pred):
    dy_true, dx_true = tf.image.image_gradients(y_true)
    dy_pred, dx_pred = tf.image.image_gradients(y_pred)
    terms = tf.abs(dy_pred - dy_true) + tf.abs(dx_pred - dx_true)
    return K.mean(terms, axis=-1)[0, 1, 2] + K.mean(terms)


# case: smooth_dice(mask(2, 4, 5, 1), probabilities(2, 4, 5, 1))
def smooth_dice(y_true, y_pred):
    overlap = tf.reduce_sum(y_true * y_pred)
    dice = 2.0 * overlap / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred))
    tv = tf.reduce_mean(tf.image.total_variation(y_pred)) + tf.image.total_variation(y_pred[0])
    return 1.0 - dice + 1e-2 * tv


# case: mirrored(mask(2, 4, 5, 1), probabilities(2, 4, 5, 1))
def mirrored(y_true, y_pred):
    a = tf.image.flip_left_right(y_pred) * y_true
    return tf.reduce_sum(a) + tf.reduce_sum(tf.image.flip_up_down(y_pred[0]) * y_true[1])


# case: padded(probabilities(2, 4, 5, 1), mode=each("CONSTANT", "REFLECT", "SYMMETRIC"))
def padded(p, mode):
    wide = tf.pad(p, [[0, 0], [2, 1], [1, 3], [0, 0]], mode=mode)
    weight = tf.reshape(tf.range(7.0, dtype=p.dtype), [1, 7, 1, 1])
    return tf.reduce_sum(wide**2 * weight)


# case: padded_with_ones(probabilities(2, 4, 5, 1))
def padded_with_ones(p):
    wide = tf.pad(p, tf.constant([[0, 0], [1, 1], [1, 1], [0, 0]]), constant_values=1)
    return tf.reduce_mean(tf.nn.max_pool2d(wide, 3, 1, "VALID") - p)


# case: repeated(probabilities(2, 3), mask(2, 6))
def repeated(p, t):
    each = tf.repeat(p, 2, axis=1) * t
    some = tf.repeat(p, [1, 3], axis=0)
    return tf.reduce_sum(each) + tf.reduce_sum(some**2) + tf.reduce_sum(tf.repeat(p, 2)[:5])


# case: coarse_and_fine(probabilities(1, 3, 4, 1), mask(1, 6, 8, 1))
def coarse_and_fine(p, t):
    fine = tf.image.resize(p, (6, 8), method="nearest")
    coarse = tf.image.resize(t, [2, 3], method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
    again = tf.image.resize(p, tf.shape(coarse)[1:3], method="nearest")
    return tf.reduce_mean((fine - t) ** 2) + tf.reduce_mean((coarse - again) ** 2)


# case: grey_boundary(mask(2, 5, 6, 2), probabilities(2, 5, 6, 2), padding=each("SAME", "VALID"))
def grey_boundary(y_true, y_pred, padding):
    """Dilation less erosion, flat and with heights."""
    flat = tf.zeros([3, 3, 2], y_pred.dtype)
    steep = tf.reshape(tf.range(12.0, dtype=y_pred.dtype), [2, 3, 2]) / 20.0
    args = {"strides": [1, 1, 1, 1], "padding": padding, "data_format": "NHWC"}

    def border(x):
        wide = tf.nn.dilation2d(x, flat, dilations=[1, 1, 1, 1], **args)
        return wide - tf.nn.erosion2d(x, flat, dilations=[1, 1, 1, 1], **args)

    once = tf.nn.erosion2d(y_pred, steep, dilations=[1, 1, 1, 1], **args)
    apart = tf.nn.dilation2d(y_pred, steep, dilations=[1, 2, 1, 1], **args)
    borders = tf.reduce_mean((border(y_true) - border(y_pred)) ** 2)
    return borders + tf.reduce_sum(once) * 0.1 + tf.reduce_mean(apart**2)


# case: blocks_of_pixels(probabilities(2, 4, 6, 4))
def blocks_of_pixels(p):
    coarse = tf.nn.space_to_depth(p, 2)
    fine = tf.nn.depth_to_space(p, block_size=2)
    weight = tf.reshape(tf.range(16.0, dtype=p.dtype), [16])
    return tf.reduce_sum(coarse**2 * weight) + tf.reduce_sum(fine[:, 1::3] ** 3)


# case: cropped(probabilities(2, 6, 7, 1), mask(2, 2, 3, 1))
def cropped(p, t):
    middle = tf.image.central_crop(p, 0.5)
    part = tf.image.crop_to_bounding_box(p, 1, 2, 2, 3)
    return tf.reduce_sum((part - t) ** 2) + tf.reduce_sum(middle**3)
