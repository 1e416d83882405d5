"""Functions of TensorFlow that losses use in passing: limits, matrices, branches and loops."""

import tensorflow as tf


# case: careful(mask(2, 4, 4), probabilities(2, 4, 4))
def careful(y_true, y_pred):
    tf.debugging.assert_equal(tf.shape(y_true), tf.shape(y_pred))
    tf.assert_rank(y_pred, 3)
    weight = tf.cast(tf.math.zero_fraction(y_true), tf.float64)
    entropy = tf.math.multiply_no_nan(tf.math.log(y_pred), y_true)
    soft = tf.math.softmax(y_pred) * tf.math.log_softmax(y_pred, axis=1)
    return -weight * tf.reduce_mean(entropy) - tf.reduce_sum(soft)


# case: limited(mask(2, 4, 3), probabilities(2, 4, 3))
def limited(y_true, y_pred):
    d = tf.clip_by_norm(y_pred - y_true, 0.5) + tf.clip_by_norm(y_pred * y_true, 1.0, axes=[1, 2])
    curve = tf.math.polyval([y_true[0, 0, 0] / 2.0, tf.reduce_mean(y_true), y_true], y_pred)
    return tf.reduce_sum(d**2) + tf.reduce_mean(curve)


# case: no_difference(zeros(2, 3), probabilities(2, 3))
def no_difference(y_true, y_pred):
    """The norm of zeros."""
    return tf.reduce_sum(tf.clip_by_norm(y_pred * y_true, 1.0)) + tf.reduce_sum(y_pred)


# case: matrices(probabilities(2, 4, 4), mask(2, 4, 4))
def matrices(p, t):
    near = tf.linalg.band_part(p, 1, 0) - tf.linalg.band_part(p, -1, 1) * t
    diagonal = tf.linalg.diag_part(p) * tf.linalg.diag_part(t)
    apart = p - tf.linalg.diag(tf.linalg.diag_part(p))
    moved = tf.linalg.matvec(p, diagonal) + tf.linalg.matvec(t, diagonal, transpose_a=True)
    unit, length = tf.linalg.normalize(p, axis=-1)
    return (
        tf.reduce_sum(near**2)
        + tf.reduce_sum(tf.linalg.trace(tf.matmul(p, t)) ** 2)
        + tf.reduce_sum(apart**3)
        + tf.reduce_sum(moved**2)
        + tf.reduce_sum(unit * t) * tf.reduce_sum(length)
    )


# case: annealed(mask(2, 4), probabilities(2, 4), epoch=each(3, 20, 50))
def annealed(y_true, y_pred, epoch):
    """A loss chosen by the epoch."""
    bce = tf.reduce_mean(tf.keras.losses.binary_crossentropy(y_true, y_pred))
    dice = 1.0 - 2.0 * tf.reduce_sum(y_true * y_pred) / tf.reduce_sum(y_true + y_pred)
    loss = tf.case(
        [(tf.less(epoch, 10), lambda: bce), (tf.less(epoch, 30), lambda: 0.5 * (bce + dice))],
        default=lambda: dice,
    )
    return loss + tf.switch_case(tf.constant(1), [lambda: bce, lambda: dice**2])


# case: by_size(mask(2, 4), probabilities(2, 4))
def by_size(y_true, y_pred):
    """Branches by what the arrays hold."""
    total = tf.reduce_sum(y_pred)
    return tf.case(
        [
            (tf.less(total, 0.5), lambda: total),
            (tf.less(total, 100.0), lambda: total * tf.reduce_sum(y_true)),
        ],
        default=lambda: 2.0 * total,
    )


# case: soft_skeleton(probabilities(1, 6, 6, 1), mask(1, 6, 6, 1))
def soft_skeleton(p, t):
    """Thinned in a loop."""

    def body(k, image, skeleton):
        eroded = -tf.nn.max_pool2d(-image, 3, 1, "SAME")
        opened = tf.nn.max_pool2d(eroded, 3, 1, "SAME")
        return k + 1, eroded, skeleton + tf.nn.relu(image - opened)

    _, _, skeleton = tf.while_loop(
        lambda k, image, skeleton: k < 3, body, [tf.constant(0), p, tf.zeros_like(p)]
    )
    return 1.0 - tf.reduce_sum(skeleton * t) / tf.reduce_sum(skeleton)


# case: row_by_row(mask(3, 4), probabilities(3, 4))
def row_by_row(y_true, y_pred):
    running = tf.scan(lambda a, x: 0.9 * a + x, y_pred)
    back = tf.scan(lambda a, x: a * x, y_pred, initializer=y_true[0] + 0.5, reverse=True)
    last = tf.foldl(lambda a, x: a + x[0] * x[1], y_pred, initializer=tf.constant(0.0, tf.float64))
    return tf.reduce_sum(running**2) + tf.reduce_sum(back * y_true) + last


# case: in_bytes(probabilities(3, 4))
def in_bytes(p):
    """Rounded to whole numbers, which have no gradient of their own."""
    levels = tf.cast(tf.saturate_cast(p * 300.0, tf.uint8), p.dtype)
    whole = tf.cast(tf.truncatediv(tf.constant([-7, 7, 9]), tf.constant([2, 2, -4])), p.dtype)
    return tf.reduce_sum((levels / 255.0 - p) ** 2) + tf.reduce_sum(whole * p[:, 0])


# case: training_losses(mask(3, 4), logits(3, 4))
def training_losses(y_true, logits):
    """Averages over a global batch, and normalized by its moments."""
    each = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y_true, logits), axis=1)
    mean, variance = tf.nn.moments(logits, axes=[0], keepdims=True)
    unit = tf.nn.batch_normalization(logits, mean, variance, y_true[0], y_true[1] + 0.5, 1e-3)
    counts = tf.nn.log_poisson_loss(y_true, logits)
    return (
        tf.nn.compute_average_loss(each, global_batch_size=6)
        + tf.nn.compute_average_loss(each)
        + tf.nn.scale_regularization_loss(1e-2 * tf.reduce_sum(logits**2))
        + tf.reduce_sum(unit**3)
        + tf.reduce_mean(counts)
    )


# case: curves(logits(3, 4), mask(3, 4))
def curves(x, t):
    running = tf.math.cumulative_logsumexp(x, axis=1)
    soft = tf.nn.selu(x) + tf.nn.softsign(x) + tf.math.scalar_mul(0.5, tf.math.tan(t * x))
    both = tf.nn.crelu(x)[:, 2:6]
    return tf.reduce_sum(running * t) + tf.reduce_sum(soft**2) + tf.reduce_sum(both)
