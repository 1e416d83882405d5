"""Losses on plain TensorFlow, version 1's names among them."""

import numpy as np
import tensorflow as tf

SMOOTH = 1e-5


# case: dice_coe(probabilities(2, 4, 4, 1), mask(2, 4, 4, 1), loss_type=each("jaccard", "sorensen"))
# case: dice_coe(probabilities(2, 4, 4, 2), soft(2, 4, 4, 2), loss_type="sorensen", axis=[1, 2])
def dice_coe(output, target, loss_type="jaccard", axis=(1, 2, 3), smooth=1e-5):
    inse = tf.reduce_sum(output * target, axis=axis)
    if loss_type == "jaccard":
        l = tf.reduce_sum(output * output, axis=axis)
        r = tf.reduce_sum(target * target, axis=axis)
    elif loss_type == "sorensen":
        l = tf.reduce_sum(output, axis=axis)
        r = tf.reduce_sum(target, axis=axis)
    else:
        raise Exception("Unknown loss_type")
    dice = (2.0 * inse + smooth) / (l + r + smooth)
    return 1 - tf.reduce_mean(dice, name="dice_coe")


class Unet:
    def __init__(self, cost="dice_coefficient", class_weights=None):
        self.cost = cost
        self.class_weights = class_weights

    # case: Unet().get_cost(logits(2, 4, 4, 2), onehot(2, 4, 4, 2, axis=-1))
    # case: Unet("cross_entropy").get_cost(logits(2, 4, 4, 3), onehot(2, 4, 4, 3, axis=-1))
    # case: Unet("cross_entropy", class_weights=[0.2, 0.8]).get_cost(logits(2, 4, 4, 2), onehot(2, 4, 4, 2, axis=-1))
    def get_cost(self, logits, y):
        n_class = logits.shape[-1]
        flat_logits = tf.reshape(logits, [-1, n_class])
        flat_labels = tf.reshape(y, [-1, n_class])
        if self.cost == "cross_entropy":
            loss_map = tf.nn.softmax_cross_entropy_with_logits(logits=flat_logits, labels=flat_labels)
            if self.class_weights is not None:
                class_weights = tf.constant(np.array(self.class_weights), dtype=logits.dtype)
                weight_map = tf.multiply(flat_labels, class_weights)
                weight_map = tf.reduce_sum(weight_map, axis=1)
                loss_map = tf.multiply(loss_map, weight_map)
            return tf.reduce_mean(loss_map)
        if self.cost == "dice_coefficient":
            eps = 1e-5
            prediction = tf.nn.softmax(logits)
            intersection = tf.reduce_sum(prediction * y)
            union = eps + tf.reduce_sum(prediction) + tf.reduce_sum(y)
            return -(2 * intersection / union)
        raise ValueError("Unknown cost function: " + self.cost)


# case: generalised_dice_loss(logits(2, 4, 4, 3), labels(2, 4, 4, classes=3), type_weight=each("Square", "Simple", "Uniform"))
def generalised_dice_loss(prediction, ground_truth, type_weight="Square"):
    n_classes = prediction.shape[-1]
    prediction = tf.reshape(tf.nn.softmax(prediction), [-1, n_classes])
    one_hot = tf.one_hot(tf.reshape(ground_truth, [-1]), depth=n_classes, dtype=prediction.dtype)
    ref_vol = tf.reduce_sum(one_hot, 0)
    intersect = tf.reduce_sum(one_hot * prediction, 0)
    seg_vol = tf.reduce_sum(prediction, 0)
    if type_weight == "Square":
        weights = tf.math.reciprocal(tf.square(ref_vol))
    elif type_weight == "Simple":
        weights = tf.math.reciprocal(ref_vol)
    elif type_weight == "Uniform":
        weights = tf.ones_like(ref_vol)
    else:
        raise ValueError(f"The variable type_weight {type_weight} is not defined.")
    new_weights = tf.where(tf.math.is_inf(weights), tf.zeros_like(weights), weights)
    weights = tf.where(
        tf.math.is_inf(weights), tf.ones_like(weights) * tf.reduce_max(new_weights), weights
    )
    numerator = 2 * tf.reduce_sum(tf.multiply(weights, intersect))
    denominator = tf.reduce_sum(tf.multiply(weights, tf.maximum(seg_vol + ref_vol, 1)))
    score = numerator / denominator
    return 1 - tf.where(tf.math.is_nan(score), tf.ones_like(score), score)


# case: dice_xent(logits(2, 4, 4, 3), labels(2, 4, 4, classes=3))
def dice_xent(logits, ground_truth):
    entropy = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ground_truth, logits=logits)
    )
    p = tf.nn.softmax(logits)
    t = tf.one_hot(ground_truth, depth=tf.shape(logits)[-1], dtype=p.dtype)
    axes = list(range(len(p.shape) - 1))
    numerator = tf.reduce_sum(t * p, axis=axes)
    denominator = tf.reduce_sum(tf.square(p), axis=axes) + tf.reduce_sum(t, axis=axes)
    return entropy + 1.0 - tf.reduce_mean((2.0 * numerator + SMOOTH) / (denominator + SMOOTH))


# case: sensitivity_specificity(simplex(2, 4, 4, 3, axis=-1), labels(2, 4, 4, classes=3), r=each(0.05, 0.5))
def sensitivity_specificity(prediction, ground_truth, r=0.05):
    n_classes = int(prediction.shape[-1])
    hot = tf.one_hot(tf.cast(ground_truth, tf.int32), n_classes, dtype=prediction.dtype)
    cold = 1 - hot
    squared_error = tf.square(hot - prediction)
    part = tf.reduce_sum(squared_error * hot, [0, 1, 2]) / (tf.reduce_sum(hot, [0, 1, 2]) + SMOOTH)
    rest = tf.reduce_sum(tf.multiply(squared_error, cold), [0, 1, 2]) / (
        tf.reduce_sum(cold, [0, 1, 2]) + SMOOTH
    )
    return tf.reduce_sum(r * part + (1 - r) * rest)


# case: Dice().loss(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: Dice(laplace_smoothing=0.1).loss(soft(2, 3, 4, 4, 1), probabilities(2, 3, 4, 4, 1))
# case: Dice().loss(zeros(2, 4, 4, 2), probabilities(2, 4, 4, 2))
# case: Dice(weights=[[1.0, 2.0]]).loss(mask(2, 4, 4, 2), probabilities(2, 4, 4, 2))
class Dice:
    def __init__(self, weights=None, laplace_smoothing=0.0):
        self.weights = weights
        self.laplace_smoothing = laplace_smoothing

    def dice(self, y_true, y_pred):
        y_true = tf.reshape(y_true, [tf.shape(y_true)[0], -1, y_true.shape[-1]])
        y_pred = tf.reshape(y_pred, [tf.shape(y_pred)[0], -1, y_pred.shape[-1]])
        top = 2 * tf.reduce_sum(y_true * y_pred, 1)
        bottom = tf.reduce_sum(tf.square(y_true), 1) + tf.reduce_sum(tf.square(y_pred), 1)
        if self.laplace_smoothing > 0:
            return (top + self.laplace_smoothing) / (bottom + self.laplace_smoothing)
        return tf.math.divide_no_nan(top, bottom)

    def loss(self, y_true, y_pred):
        dice = self.dice(y_true, y_pred)
        if self.weights is not None:
            dice *= tf.constant(self.weights, dtype=y_pred.dtype)
        return -tf.reduce_mean(dice)


# case: foreground_background(mask(2, 4, 4, 4), probabilities(2, 4, 4, 4), background_weight=each(0.0, 0.2))
def foreground_background(y_true, y_pred, background_weight=0.0, smooth_nr=1e-5, smooth_dr=1e-5):
    y_true = tf.reshape(y_true, [tf.shape(y_true)[0], -1])
    y_pred = tf.reshape(y_pred, [tf.shape(y_pred)[0], -1])
    y_prod = tf.reduce_mean(y_true * y_pred, axis=1)
    y_sum = tf.reduce_mean(y_true, axis=1) + tf.reduce_mean(y_pred, axis=1)
    numerator = 2 * (y_prod - background_weight * y_sum + background_weight)
    denominator = (1 - 2 * background_weight) * y_sum + 2 * background_weight
    return 1 - (numerator + smooth_nr) / (denominator + smooth_dr)


# case: tversky_crossentropy(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
@tf.function
def tversky_crossentropy(y_true, y_pred, alpha=0.5, beta=0.5, smooth=1e-6):
    axes = tuple(range(1, len(y_true.shape) - 1))
    p = y_pred
    tp = tf.reduce_sum(p * y_true, axis=axes)
    fp = tf.reduce_sum(p * (1 - y_true), axis=axes)
    fn = tf.reduce_sum((1 - p) * y_true, axis=axes)
    score = (tp + smooth) / (tp + alpha * fn + beta * fp + smooth)
    tversky = tf.cast(tf.shape(y_true)[-1], y_true.dtype) - tf.reduce_sum(score, axis=-1)
    crossentropy = tf.keras.losses.categorical_crossentropy(y_true, y_pred)
    return tf.reduce_mean(tversky) + tf.reduce_mean(crossentropy)


# case: per_sample(mask(3, 4, 4, 1), logits(3, 4, 4, 1))
def per_sample(y_true, logits):
    def one(pair):
        t, x = pair
        p = tf.sigmoid(x)
        return 1 - (2 * tf.reduce_sum(t * p) + 1) / (tf.reduce_sum(t + p) + 1)

    return tf.reduce_mean(tf.map_fn(one, (y_true, logits), fn_output_signature=logits.dtype))


# case: of_parts(mask(2, 4, 4, 4), probabilities(2, 4, 4, 4))
def of_parts(y_true, y_pred):
    first_true, second_true = tf.split(y_true, 2, axis=-1)
    channels = tf.unstack(y_pred, axis=-1)
    first_pred = tf.stack(channels[:2], axis=-1)
    second_pred = tf.concat([c[..., tf.newaxis] for c in channels[2:]], axis=-1)
    total = tf.constant(0.0, dtype=y_pred.dtype)
    for t, p in zip([first_true, second_true], [first_pred, second_pred]):
        overlap = tf.tensordot(tf.reshape(t, [-1]), tf.reshape(p, [-1]), axes=1)
        total += 1.0 - 2.0 * overlap / tf.math.reduce_sum(t + p)
    last = tf.squeeze(tf.gather(y_pred, [3], axis=-1), axis=-1)
    return total / 2.0 + 0.1 * tf.norm(last) + tf.reduce_logsumexp(last)


# case: boundary_weighted(mask(2, 4, 4, 2), logits(2, 4, 4, 2), weights(2, 4, 4))
def boundary_weighted(y_true, logits, distance):
    p = tf.nn.sigmoid(logits)
    w = tf.tile(tf.expand_dims(distance, -1), [1, 1, 1, tf.shape(p)[-1]])
    w = tf.stop_gradient(w * (1 + tf.abs(p - y_true)))
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
    entropy = tf.math.divide_no_nan(tf.reduce_sum(w * entropy, [1, 2]), tf.reduce_sum(w, [1, 2]))
    overlap = tf.einsum("bhwc,bhwc->bc", p, y_true)
    union = tf.einsum("bhwc->bc", p) + tf.einsum("bhwc->bc", y_true)
    return tf.reduce_mean(entropy) + tf.reduce_mean(1 - 2 * overlap / union)


# case: only_present(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
# case: only_present(zeros(1, 4, 4, 2), probabilities(1, 4, 4, 2))
def only_present(y_true, y_pred):
    present = tf.reduce_any(y_true > 0.5, axis=[1, 2])
    overlap = tf.reduce_sum(y_true * y_pred, axis=[1, 2])
    size = tf.reduce_sum(y_true + y_pred, axis=[1, 2])
    dice = 1.0 - tf.math.divide_no_nan(2.0 * overlap, size)
    count = tf.reduce_sum(tf.cast(present, y_pred.dtype))
    masked = tf.where(present, dice, tf.zeros_like(dice))
    return tf.cond(count > 0, lambda: tf.reduce_sum(masked) / count, lambda: tf.reduce_sum(dice))


# case: clipped_entropy(mask(2, 4, 3), probabilities(2, 4, 3))
def clipped_entropy(y_true, y_pred):
    p = tf.minimum(tf.maximum(y_pred, 0.1), 0.9)
    positive = tf.pow(1.0 - p, 2.0) * tf.math.log(p)
    return -tf.reduce_mean(tf.where(tf.equal(y_true, 1.0), positive, tf.math.log1p(-p)))


# case: rolled_edges(mask(2, 4, 3), probabilities(2, 4, 3))
def rolled_edges(y_true, y_pred):
    edges = tf.abs(y_pred - tf.roll(y_pred, shift=1, axis=1))
    borders = tf.abs(y_true - tf.roll(y_true, shift=[1, -1], axis=[1, 2]))
    return 1.0 - 2.0 * tf.reduce_sum(edges * borders) / tf.reduce_sum(edges + borders)
