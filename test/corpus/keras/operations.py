"""keras.ops beyond sums and products: statistics, pieces, positions, windows and loops."""

import keras
from keras import ops


# case: statistics(mask(3, 4), probabilities(3, 4))
def statistics(y_true, y_pred):
    errors = ops.abs(y_true - y_pred)
    middle = ops.median(errors, axis=1) + ops.quantile(errors, 0.25, axis=1)
    spread = ops.ptp(errors, axis=0) + ops.nanmax(errors, axis=0) + ops.nanmean(errors)
    more = ops.nanvar(errors) + ops.nanstd(errors, axis=1) + ops.nansum(errors, axis=1)
    mean, variance = ops.moments(errors, axes=[0], keepdims=True)
    least = ops.nanmin(errors, axis=1) * ops.nanmedian(errors, axis=1, keepdims=False)
    return (
        ops.sum(middle * more)
        + ops.sum(spread)
        + ops.sum(mean / (variance + 1.0))
        + ops.sum(least)
    )


# case: ordered(mask(3, 6), logits(3, 6))
def ordered(y_true, logits):
    errors = 1.0 - logits * (2.0 * y_true - 1.0)
    order = ops.flip(ops.argsort(errors, axis=-1), axis=-1)
    down = ops.take_along_axis(errors, order, axis=-1)
    best, where = ops.top_k(errors, 2)
    hard = ops.take_along_axis(y_true, where, axis=-1)
    running = ops.cumprod(ops.sigmoid(ops.sort(logits)), axis=1)
    weight = ops.cumsum(ops.ones_like(down), axis=1)
    return ops.sum(down / weight) + ops.mean(best * (hard + 1.0)) + ops.sum(running)


# case: pieces(mask(2, 4), probabilities(2, 4))
def pieces(y_true, y_pred):
    both = ops.hstack([y_true, y_pred]) * ops.repeat(ops.vstack([y_pred, y_true])[1:3], 2, axis=1)
    moved = ops.roll(y_pred, 1, axis=1) - ops.roll(y_pred, -2)
    turned = ops.rot90(y_pred) * ops.transpose(y_true)
    steps = ops.diff(y_pred, n=2, axis=-1)
    wide = ops.append(y_pred, y_true[:, :1], axis=1)
    ends = ops.sum(steps**2) + ops.sum(wide**3)
    return ops.sum(both**2) + ops.sum(moved**2) + ops.sum(turned) + ends


# case: matrices(mask(3, 3), probabilities(3, 3))
def matrices(y_true, y_pred):
    product = ops.outer(y_true[0], y_pred[1]) * ops.tril(y_pred) + ops.triu(y_pred, k=1) * y_true
    inside = ops.inner(y_true, y_pred) * ops.tri(3, k=-1, dtype="float64")
    diagonal = ops.diagonal(y_pred) * ops.diag(y_true) + ops.trace(y_pred)
    large = ops.kron(y_pred, y_true)
    likeness = ops.corrcoef(ops.stack([y_true[0] + 0.1 * y_pred[2], y_pred[0]]))
    return (
        ops.sum(product**2)
        + ops.sum(inside**2)
        + ops.sum(ops.diag(diagonal) ** 2)
        + ops.sum(large**2)
        - likeness[0, 1]
    )


# case: areas(mask(2, 5), probabilities(2, 5))
def areas(y_true, y_pred):
    x, y = ops.meshgrid(ops.arange(5.0, dtype="float64"), ops.arange(2.0, dtype="float64"))
    area = ops.trapezoid(y_pred, dx=0.5, axis=1) - ops.trapezoid(y_true, x=x[0] ** 2, axis=-1)
    soft = ops.logaddexp(y_pred, y_true) + ops.hypot(y_pred, y_true + y)
    near = ops.where(ops.isclose(y_pred, y_true, atol=0.3), y_pred, ops.fmax(y_pred, y_true))
    curves = ops.sum(near * ops.tan(y_pred)) + ops.sum(ops.cbrt(y_pred))
    return ops.sum(area**2) + ops.sum(soft) + curves


# case: placed(mask(5), probabilities(5))
def placed(y_true, y_pred):
    where = ops.array([[4], [0], [2]])
    thrown = ops.scatter(where, y_pred[:3], (5,))
    more = ops.scatter_update(y_true, [[1], [3]], y_pred[3:])
    both = ops.scatter_update(y_true, where, y_pred[2:], reduction="add")
    part = ops.slice(y_pred, [1], [3]) * ops.slice_update(y_true, [2], y_true[:2])[:3]
    number = ops.array([0, 2, 2, 1, 0])
    groups = ops.segment_sum(y_pred, number, num_segments=3)
    most = ops.segment_max(y_pred, number, num_segments=3)
    whole = ops.full_like(y_pred, 2.0) + ops.empty_like(y_pred) * 0.0
    return (
        ops.sum(thrown**2)
        + ops.sum(more**3)
        + ops.sum(both**2 * whole)
        + ops.sum(part)
        + ops.sum(groups * most)
    )


# case: windows(mask(2, 4, 6, 4), probabilities(2, 4, 6, 4))
def windows(y_true, y_pred):
    near = ops.average_pool(y_pred, pool_size=3, strides=1, padding="same")
    thin = -ops.max_pool(-y_pred, 3, strides=1, padding="same")
    coarse = ops.max_pool(y_true, (2, 2))
    small = ops.average_pool(y_pred, 2) - coarse
    blocks = ops.nn.space_to_depth(y_pred, 2) * ops.space_to_depth(y_true, 2)
    grey = ops.sum((near - y_true) ** 2) + ops.sum(thin * y_true)
    return grey + ops.sum(small**2) + ops.sum(blocks**3)


# case: loops(mask(3, 4), probabilities(3, 4))
def loops(y_true, y_pred):
    power = ops.fori_loop(0, 3, lambda k, x: x * y_pred + 1.0, y_true)
    _, thin = ops.while_loop(
        lambda k, x: k < 2, lambda k, x: (k + 1, x * 0.5 + y_pred), (0, y_true)
    )
    rows = ops.map(lambda row: ops.sum(row**2), y_pred) + ops.vectorized_map(ops.sum, y_pred)
    last, all_of_them = ops.scan(lambda a, row: (a + row, a * row), y_true[0], y_pred)
    chosen = ops.switch(1, [lambda a: a, lambda a: a**2], y_pred)
    return (
        ops.sum(power)
        + ops.sum(thin**2)
        + ops.sum(rows**2)
        + ops.sum(last * all_of_them)
        + ops.sum(chosen)
    )


# case: curves(logits(3, 4), mask(3, 4), name=each("selu", "celu", "softsign", "hard_sigmoid", "hard_silu", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "glu", "swish", "relu6"))
def curves(x, t, name):
    y = getattr(ops, name)(x)
    return ops.sum(y**2 * t[:, : ops.shape(y)[1]]) + ops.sum(y)


# case: named_activations(logits(3, 4), mask(3, 4), name=each("mish", "exponential", "log_sigmoid", "hard_sigmoid", "selu", "softsign", "relu6", "linear", "silu", "swish"))
def named_activations(x, t, name):
    return ops.sum(getattr(keras.activations, name)(x) * (t + 0.5))


# case: limited(logits(3, 4), slope=each(0.0, 0.25), most=each(None, 6.0, 1.5), threshold=each(0.0, 0.4))
def limited(x, slope, most, threshold):
    y = keras.activations.relu(x, negative_slope=slope, max_value=most, threshold=threshold)
    return ops.sum(y**2) + ops.sum(ops.threshold(x, 0.3, -1.0))
