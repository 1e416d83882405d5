"""What PyTorch makes of the corpus in half precision on CUDA, with and without torch.autocast there.

    python test/oracle/cuda_precision.py OUTPUT.json FILE...

Stands alone, for a machine with CUDA that has PyTorch and NumPy and nothing else of this project's.
FILEs are of test/corpus/torch. Each case is run on the GPU in bfloat16, float16 and under
`torch.autocast("cuda")` in both, with the number types that `precision.py` has for the CPU; the loss,
and of the gradient what tells it from another, go to OUTPUT.json, which the tests compare with
(test/golden/cuda_precision.json). So does the type in which autocast gives back what functions make
of half-precision arrays, beside the type that they give without it.
"""

import json
import os
import pathlib
import sys
import types

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # hidden otherwise from what is imported below

import corpus
import numpy
import torch
import torch.nn.functional as F  # noqa: F401 (expressions use it)
from corpus_backends import scalar_of

# name of the rung: type of the predictions, of other floats, of autocast
RUNGS = {
    "bfloat16": ("bfloat16", "bfloat16", None),
    "float16": ("float16", "float16", None),
    "cuda-autocast-bfloat16": ("bfloat16", "float32", "bfloat16"),
    "cuda-autocast-float16": ("float16", "float32", "float16"),
}

UNARY = (
    "abs acos acosh asin asinh atan ceil cos cosh cumsum(0) cumprod(0) deg2rad digamma erf erfc erfinv exp exp2"
    " expm1 floor frac hardshrink lgamma log log10 log1p log2 logcumsumexp(0) logit logsumexp(0) amax argsort"
    " mean median nanmean nanmedian nansum neg norm positive prod quantile(0.5) reciprocal relu round rsqrt"
    " sigmoid sign sin sinh sort(0) sqrt square std sum tan tanh topk(2) trunc var prod(0) sum(0) mean(0)"
    " softmax(0) log_softmax(0) clamp(0.1) cumsum(1).sum norm(dim=1) nanmean(0) diff trace half float"
).split()

EXPRESSIONS = (
    "x + y; x - y; x * y; x / y; x ** 2; x ** 3; x ** 0.5; x ** y; 2 ** x; 1 / x; 2 - x; x // y; x % y; x @ m;"
    " x + z; x * z; x / z; z - x; x * 1.5; x > y; -x; abs(x); x.pow(2); torch.pow(x, 2); torch.pow(x, y);"
    " torch.matmul(x, m); torch.mm(x, m); torch.mv(m, x[0]); torch.dot(x[0], y[0]); torch.inner(x, y);"
    " torch.outer(x[0], y[0]); torch.einsum('ij,ij->', x, y); torch.einsum('ij,ij->i', x, y);"
    " torch.einsum('ij->i', x); torch.einsum('ij,jk->ik', x, m); torch.tensordot(x, y, 2); torch.vdot(x[0], y[0]);"
    " torch.linalg.vecdot(x, y); torch.linalg.vector_norm(x); torch.linalg.norm(x); torch.linalg.vector_norm(x, 1);"
    " torch.bmm(x[None], m[None]); torch.baddbmm(x[None], x[None], m[None]); torch.addmm(x, x, m);"
    " torch.addcmul(x, x, y); torch.addcdiv(x, x, y); torch.atan2(x, y); torch.lerp(x, y, 0.5); torch.hypot(x, y);"
    " torch.cat([x, z]); torch.stack([x, z]); torch.where(x > y, x, z); torch.where(x > y, x, 0.0);"
    " torch.maximum(x, y); torch.minimum(x, z); torch.max(x, 1)[0]; torch.xlogy(x, y); torch.special.entr(x);"
    " torch.special.xlogy(x, y); torch.special.expit(x); torch.special.logit(x); torch.cross(x[:, :3], y[:, :3]);"
    " torch.dist(x, y); torch.cdist(x, y); torch.cosine_similarity(x, y); torch.nan_to_num(x); torch.cov(x);"
    " torch.corrcoef(x); torch.var_mean(x)[0]; torch.std_mean(x)[0]; torch.std(x, 1); torch.norm(x, p=1);"
    " torch.histc(x); torch.bincount(k); torch.scatter_add(x, 0, k[None], y); torch.index_add(x, 0, k[:3], y);"
    " torch.gather(x, 1, k[None]); torch.trapezoid(x); torch.kron(x, y); torch.addcdiv(z, x, y);"
    " x.sum(dtype=torch.float16); x.sum((0, 1)); x.softmax(1, dtype=torch.float16); x.float().sum(); x.mean((0, 1));"
    " F.softmax(x, 1); F.log_softmax(x, 1); F.softmin(x, 1); F.gumbel_softmax(x); F.logsigmoid(x); F.softplus(x);"
    " F.softsign(x); F.tanhshrink(x); F.hardtanh(x); F.hardsigmoid(x); F.hardswish(x); F.relu(x); F.relu6(x);"
    " F.elu(x); F.selu(x); F.celu(x); F.gelu(x); F.silu(x); F.mish(x); F.leaky_relu(x); F.prelu(x, x[0, :1]);"
    " F.threshold(x, 0.1, 0.0); F.normalize(x); F.cosine_similarity(x, y); F.pairwise_distance(x, y);"
    " F.mse_loss(x, y); F.l1_loss(x, y); F.smooth_l1_loss(x, y); F.huber_loss(x, y); F.kl_div(x, y);"
    " F.binary_cross_entropy(x, y); F.binary_cross_entropy_with_logits(x, y); F.cross_entropy(x, k[:3]);"
    " F.cross_entropy(x, y); F.nll_loss(x, k[:3]); F.nll_loss(x.log_softmax(1), k[:3]); F.poisson_nll_loss(x, y);"
    " F.gaussian_nll_loss(x, y, y); F.soft_margin_loss(x, y); F.hinge_embedding_loss(x, y);"
    " F.margin_ranking_loss(x, y, y); F.multi_margin_loss(x, k[:3]); F.multilabel_margin_loss(x[0], k);"
    " F.multilabel_soft_margin_loss(x, y); F.triplet_margin_loss(x, y, x); F.cosine_embedding_loss(x, y, s);"
    " F.cross_entropy(i, k[None, :, None].expand(1, 4, 4)[:, :3], weight=None); F.nll_loss(i, q);"
    " F.conv1d(x[None], x[None]); F.conv2d(i, w); F.avg_pool2d(i, 2); F.max_pool2d(i, 2);"
    " F.adaptive_avg_pool2d(i, 1); F.adaptive_max_pool2d(i, 1); F.avg_pool1d(x, 2); F.max_pool1d(x, 2);"
    " F.avg_pool3d(i[None], (1, 2, 2)); F.max_pool3d(i[None], (1, 2, 2)); F.adaptive_avg_pool3d(i[None], 1);"
    " F.lp_pool2d(i, 2, 2); F.unfold(i, 2); F.fold(F.unfold(i, 2), (4, 4), 2); F.pad(i, (1, 1));"
    " F.interpolate(i, scale_factor=2); F.interpolate(i, scale_factor=2, mode='bilinear');"
    " F.interpolate(i, scale_factor=2, mode='bicubic'); F.pixel_shuffle(i.expand(1, 4, 4, 4), 2);"
    " F.grid_sample(i, g); F.layer_norm(x, (4,)); F.group_norm(x[None], 1); F.instance_norm(i);"
    " F.batch_norm(x, None, None, training=True); F.local_response_norm(i, 2); F.linear(x, m);"
    " F.bilinear(x, y, b); F.embedding(k, x); F.dropout(x, 0.0); F.glu(x); F.one_hot(k).to(x.dtype);"
    " torch.nn.BCELoss()(x, y); torch.nn.CrossEntropyLoss()(x, y); torch.logaddexp(x, y);"
    " torch.cumulative_trapezoid(x); torch.renorm(x, 2, 0, 1.0); torch.clamp(x, min=y); torch.logspace(0, 1, 3);"
    " torch.prod(x, 1); torch.cumprod(x, 1); torch.heaviside(x, y); torch.fmod(x, y); torch.remainder(x, y);"
    " torch.ldexp(x, k); torch.polygamma(1, x); torch.i0(x); torch.sinc(x); torch.mvlgamma(x + 2, 1)"
)


def typed(lower):
    """Arrays for the expressions above."""
    make = torch.Generator(device="cpu").manual_seed(3)

    def rand(*shape):
        return (0.1 + 0.8 * torch.rand(*shape, generator=make)).to("cuda", lower)

    return {
        "x": rand(3, 4), "y": rand(3, 4), "m": rand(4, 4), "i": rand(1, 1, 4, 4), "w": rand(1, 1, 3, 3),
        "z": rand(3, 4).float(), "g": rand(1, 2, 2, 2), "b": rand(2, 4, 4), "s": torch.ones(3, device="cuda"),
        "k": torch.tensor([0, 1, 2, 1], device="cuda"),
        "q": torch.zeros(1, 4, 4, dtype=torch.long, device="cuda"),
    }  # fmt: skip


def survey():
    """The types of what functions make of float16 arrays, without autocast and with it."""
    expressions = [f"x.{u}" + ("" if u.endswith(")") else "()") for u in UNARY]
    expressions += [e.strip() for e in EXPRESSIONS.split(";")]
    found = {}
    for expression in expressions:
        both = []
        for on in (False, True):
            try:
                with torch.autocast("cuda", dtype=torch.float16, enabled=on):
                    made = eval(expression, globals(), typed(torch.float16))
                made = made[0] if isinstance(made, tuple) else made
                both.append(str(made.dtype).removeprefix("torch."))
            except Exception as error:
                both.append(f"{type(error).__name__}: {str(error).splitlines()[0][:160]}")
        found[expression] = both
    return found


def run(call, scope, arrays, wrt, rung):
    predicted, others, autocast = RUNGS[rung]
    given = {}
    for name, array in arrays.items():
        x = torch.from_numpy(array.copy()).cuda()
        if x.is_floating_point():
            x = x.to(getattr(torch, predicted if name == wrt else others))
        given[name] = x
    given[wrt].requires_grad_(True)
    kind = getattr(torch, autocast or "float16")
    with torch.autocast("cuda", dtype=kind, enabled=autocast is not None):
        loss = scalar_of(eval(call, scope | given), lambda x: x.ndim == 0)
    total = loss if loss.ndim == 0 else loss.sum()
    if total.requires_grad:
        total.backward()
    gradient = given[wrt].grad
    return loss, torch.zeros_like(given[wrt]) if gradient is None else gradient


def told(loss, gradient):
    values = loss.detach().double().cpu().reshape(-1).tolist()
    g = gradient.detach().double().cpu().reshape(-1)
    finite = g[torch.isfinite(g)]
    return {
        "loss": [short(v) for v in values],
        "dtype": str(loss.dtype).removeprefix("torch."),
        "notFinite": int(g.numel() - finite.numel()),
        "largest": short(float(finite.abs().max()) if finite.numel() else 0.0),
        "first": [short(v) for v in g[:4].tolist()],
    }


def short(value):
    """As many digits as tell numbers of float32 apart."""
    return f"{value:.9g}"


def main(out, files):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    found = {"script": "test/oracle/" + pathlib.Path(__file__).name}
    found |= {"torch": torch.__version__, "device": torch.cuda.get_device_name()}
    found["functions"] = survey()
    found["cases"] = []
    # What losses make themselves is on the GPU too.
    torch.set_default_device("cuda")
    for number, file in enumerate(files):
        source = pathlib.Path(file).read_text()
        module = types.ModuleType(f"precision_{number}")
        sys.modules[module.__name__] = module
        module.__file__ = file
        try:
            exec(compile(source, file, "exec"), module.__dict__)
        except ImportError as error:
            print(f"{file}: {error}")
            continue
        for line, text, call, taken in corpus.cases_of(file, source):
            case = {"file": pathlib.Path(file).name, "case": text}
            case["rungs"] = {}
            for rung in RUNGS:
                try:
                    ran = run(call, module.__dict__, taken.arrays, taken.wrt, rung)
                    case["rungs"][rung] = told(*ran)
                except Exception as error:  # some operations are refused in some types
                    line_ = (str(error).splitlines() or [""])[0][:200]
                    case["rungs"][rung] = {"error": f"{type(error).__name__}: {line_}"}
            found["cases"].append(case)
    lines = ",\n".join(json.dumps(c) for c in found.pop("cases"))
    functions = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.pop("functions").items())
    head = json.dumps(found)[:-1]
    text = head + ', "functions": {\n' + functions + '\n}, "cases": [\n' + lines + "\n]}\n"
    pathlib.Path(out).write_text(text)
    print(f"{text.count(chr(10))} lines")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
