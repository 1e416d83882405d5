"""Losses on the Keras backend, as notebooks and competition code have them."""

from tensorflow.keras import backend as K
from tensorflow.keras.losses import binary_crossentropy

SMOOTH = 1.0


# case: dice_coef_loss(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: dice_coef_loss(soft(3, 5), probabilities(3, 5), smooth=each(1e-6, 1.0))
# case: dice_coef_loss(zeros(2, 3, 3, 1), probabilities(2, 3, 3, 1))
def dice_coef(y_true, y_pred, smooth=SMOOTH):
    y_true_f = K.flatten(y_true)
    y_pred_f = K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def dice_coef_loss(y_true, y_pred, smooth=SMOOTH):
    return 1 - dice_coef(y_true, y_pred, smooth)


# case: bce_dice_loss(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: bce_dice_loss(soft(2, 3, 3, 2), probabilities(2, 3, 3, 2))
def bce_dice_loss(y_true, y_pred):
    return K.mean(binary_crossentropy(y_true, y_pred)) + dice_coef_loss(y_true, y_pred)


# case: bce_logdice_loss(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
def bce_logdice_loss(y_true, y_pred):
    return binary_crossentropy(K.flatten(y_true), K.flatten(y_pred)) - K.log(
        1.0 - dice_coef_loss(y_true, y_pred)
    )


# case: weighted_bce_dice_loss(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1), weights(2, 4, 4, 1))
def weighted_dice_coef(y_true, y_pred, weight):
    smooth = 1.0
    w = K.pow(weight, 2)
    intersection = K.sum(w * K.abs(y_true * y_pred))
    return (2.0 * intersection + smooth) / (
        K.sum(w * K.square(y_true)) + K.sum(w * K.square(y_pred)) + smooth
    )


def weighted_bce_dice_loss(y_true, y_pred, weight):
    epsilon = 1e-7
    y_pred = K.clip(y_pred, epsilon, 1.0 - epsilon)
    logit = K.log(y_pred / (1.0 - y_pred))
    entropy = (1.0 - y_true) * logit + weight * (
        K.log(1.0 + K.exp(-K.abs(logit))) + K.maximum(-logit, 0.0)
    )
    return K.sum(entropy) / K.sum(weight) + 1.0 - weighted_dice_coef(y_true, y_pred, weight)


# On one channel this is a ratio for each voxel, which is what `axis=-1` does to images with one.
# case: dice_of_last_axis(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: dice_of_last_axis(onehot(2, 3, 3, 3, axis=-1), simplex(2, 3, 3, 3, axis=-1), smooth=100)
def dice_of_last_axis(y_true, y_pred, smooth=1):
    intersection = K.sum(K.abs(y_true * y_pred), axis=-1)
    squares = K.sum(K.square(y_true), -1) + K.sum(K.square(y_pred), -1)
    return K.mean(1 - (2.0 * intersection + smooth) / (squares + smooth))


# case: jaccard_distance(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: jaccard_distance(onehot(3, 6, 3, axis=-1), simplex(3, 6, 3, axis=-1), smooth=1)
def jaccard_distance(y_true, y_pred, smooth=100):
    intersection = K.sum(K.abs(y_true * y_pred), axis=-1)
    sum_ = K.sum(K.abs(y_true) + K.abs(y_pred), axis=-1)
    jac = (intersection + smooth) / (sum_ - intersection + smooth)
    return (1 - jac) * smooth


# case: focal_tversky(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: focal_tversky(onehot(2, 3, 3, 2, axis=-1), simplex(2, 3, 3, 2, axis=-1))
def tversky(y_true, y_pred, alpha=0.7, smooth=1):
    y_true_pos = K.flatten(y_true)
    y_pred_pos = K.flatten(y_pred)
    true_pos = K.sum(y_true_pos * y_pred_pos)
    false_neg = K.sum(y_true_pos * (1 - y_pred_pos))
    false_pos = K.sum((1 - y_true_pos) * y_pred_pos)
    return (true_pos + smooth) / (
        true_pos + alpha * false_neg + (1 - alpha) * false_pos + smooth
    )


def focal_tversky(y_true, y_pred, gamma=0.75):
    return K.pow((1 - tversky(y_true, y_pred)), gamma)


# case: dice_channels_first(mask(2, 3, 4, 4), probabilities(2, 3, 4, 4))
def dice_channels_first(y_true, y_pred, epsilon=1e-5):
    y_true = K.permute_dimensions(y_true, (1, 0, 2, 3))
    y_pred = K.permute_dimensions(y_pred, (1, 0, 2, 3))
    y_true = K.batch_flatten(y_true)
    y_pred = K.batch_flatten(y_pred)
    numerator = 2 * K.sum(y_true * y_pred, axis=-1)
    denominator = K.sum(y_true + y_pred, axis=-1)
    return -K.mean((numerator + epsilon) / (denominator + epsilon))


# case: thresholded(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
def thresholded(y_true, y_pred):
    hard = K.cast(K.greater(y_pred, 0.5), K.floatx())
    keep = 1.0 - K.abs(hard - y_true)
    return 1.0 - K.sum(keep * y_true * y_pred) / (K.sum(y_pred * y_true) + K.epsilon())


# case: by_class(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
# case: by_class(soft(2, 5, 4), probabilities(2, 5, 4))
def by_class(y_true, y_pred):
    total = 0.0
    for c in range(K.int_shape(y_pred)[-1]):
        t = K.flatten(y_true[..., c])
        p = K.flatten(y_pred[..., c])
        total += 1 - (2 * K.sum(t * p) + K.epsilon()) / (K.sum(t) + K.sum(p) + K.epsilon())
    return total / K.int_shape(y_pred)[-1]


# case: sparse_dice(labels(2, 4, 4, classes=3), simplex(2, 4, 4, 3, axis=-1))
def sparse_dice(y_true, y_pred):
    target = K.cast(K.one_hot(K.cast(y_true, "int32"), K.int_shape(y_pred)[-1]), y_pred.dtype)
    overlap = K.sum(target * y_pred, axis=[0, 1, 2])
    both = K.sum(target, axis=[0, 1, 2]) + K.sum(y_pred, axis=[0, 1, 2])
    return K.mean(1 - 2 * overlap / K.maximum(both, K.epsilon()))


# case: entropies(mask(2, 4, 3), probabilities(2, 4, 3))
def entropies(y_true, y_pred):
    first = K.mean(K.binary_crossentropy(y_true, y_pred))
    second = K.mean(K.categorical_crossentropy(y_true, y_pred))
    return first + 0.5 * second


# case: switched(mask(2, 4, 3), probabilities(2, 4, 3))
def switched(y_true, y_pred):
    errors = K.square(y_true - y_pred)
    absolute = K.abs(y_true - y_pred)
    return K.mean(K.switch(K.less(absolute, 0.3), errors, 0.6 * absolute - 0.09))
