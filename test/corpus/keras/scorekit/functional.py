def chosen_channels(*arrays, indexes=None, **kwargs):
    if indexes is None:
        return arrays
    if isinstance(indexes, int):
        indexes = [indexes]
    backend = kwargs["backend"]
    moved = [backend.permute_dimensions(x, (3, 0, 1, 2)) for x in arrays]
    return [backend.permute_dimensions(backend.gather(x, indexes), (1, 2, 3, 0)) for x in moved]


def axes_of(per_image, **kwargs):
    axes = [1, 2] if kwargs["backend"].image_data_format() == "channels_last" else [2, 3]
    if not per_image:
        axes.insert(0, 0)
    return axes


def averaged(x, per_image=False, class_weights=None, **kwargs):
    backend = kwargs["backend"]
    if per_image:
        x = backend.mean(x, axis=0)
    if class_weights is not None:
        x = x * class_weights
    return backend.mean(x)


def f_score(gt, pr, beta=1, class_weights=1, indexes=None, smooth=1e-5, per_image=False, **kwargs):
    backend = kwargs["backend"]
    gt, pr = chosen_channels(gt, pr, indexes=indexes, **kwargs)
    axes = axes_of(per_image, **kwargs)
    tp = backend.sum(gt * pr, axis=axes)
    fp = backend.sum(pr, axis=axes) - tp
    fn = backend.sum(gt, axis=axes) - tp
    score = ((1 + beta**2) * tp + smooth) / ((1 + beta**2) * tp + beta**2 * fn + fp + smooth)
    return averaged(score, per_image, class_weights, **kwargs)


def binary_focal(gt, pr, gamma=2.0, alpha=0.25, **kwargs):
    backend = kwargs["backend"]
    pr = backend.clip(pr, backend.epsilon(), 1.0 - backend.epsilon())
    hit = gt * alpha * backend.pow(1 - pr, gamma) * backend.log(pr)
    miss = (1 - gt) * (1 - alpha) * backend.pow(pr, gamma) * backend.log(1 - pr)
    return -backend.mean(hit + miss)
