"""Runs the PyTorch and NumPy losses of the corpus in the number types of the precision ladder.

usage: precision.py OUTPUT_FOLDER torch|numpy|arrays FILE...
Every case is run as it stands on the CPU with float arrays in float64, float32, bfloat16 and float16,
and under autocast, where the predictions are in the lower type and the targets in float32; NumPy has
neither bfloat16 nor autocast, nor gradients. With `arrays` nothing is run. Prints the cases as JSON; arrays and gradients are
written to OUTPUT_FOLDER as .npy (float64).
"""

import contextlib
import json
import pathlib
import sys
import types

import numpy

import corpus
from corpus_backends import ABSENT, absent_requirements, bare_parents, scalar_of

bare_parents()
import torch  # noqa: E402

absent_requirements(ABSENT)

RUNGS = {
    "float64": ("float64", "float64", None),
    "float32": ("float32", "float32", None),
    "bfloat16": ("bfloat16", "bfloat16", None),
    "float16": ("float16", "float16", None),
    "autocast-bfloat16": ("bfloat16", "float32", "bfloat16"),
    "autocast-float16": ("float16", "float32", "float16"),
}


def run(call, scope, arrays, wrt, rung):
    predicted, others, autocast = RUNGS[rung]
    given = {}
    for name, array in arrays.items():
        x = torch.from_numpy(array.copy())
        if x.is_floating_point():
            x = x.to(getattr(torch, predicted if name == wrt else others))
        given[name] = x
    given[wrt].requires_grad_(True)
    context = contextlib.nullcontext()
    if autocast is not None:
        context = torch.autocast("cpu", dtype=getattr(torch, autocast))
    with context:
        loss = scalar_of(eval(call, scope | given), lambda x: x.ndim == 0)
    total = loss if loss.ndim == 0 else loss.sum()
    if total.requires_grad:
        total.backward()
    gradient = given[wrt].grad
    if gradient is None:
        gradient = torch.zeros_like(given[wrt])
    return loss, gradient


def run_numpy(call, scope, arrays, rung):
    given = {
        name: array.astype(rung) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }
    return numpy.asarray(scalar_of(eval(call, scope | given), lambda x: numpy.ndim(x) == 0))


def told_by_numpy(call, scope, arrays):
    rungs = {}
    for rung in ("float64", "float32", "float16"):
        try:
            with numpy.errstate(all="ignore"):
                loss = run_numpy(call, scope, arrays, rung)
        except (RuntimeError, TypeError) as error:
            # SciPy's filters and numpy.linalg take no float16.
            if rung != "float16":
                raise
            rungs[rung] = {"failed": str(error)}
            continue
        values = loss.astype(numpy.float64).reshape(-1).tolist()
        rungs[rung] = {"loss": [repr(v) for v in values], "dtype": str(loss.dtype)}
    return rungs


def main(out, library, files):
    torch.set_num_threads(1)
    found = []
    for number, file in enumerate(files):
        source = pathlib.Path(file).read_text()
        if "# backend: tensorflow" in source or "# backend: keras" in source:
            continue
        module = types.ModuleType(f"precision_{number}")
        sys.modules[module.__name__] = module
        module.__file__ = file
        exec(compile(source, file, "exec"), module.__dict__)
        for line, text, call, taken in corpus.cases_of(file, source):
            base = pathlib.Path(out, f"{number}-{len(found)}")
            paths = {name: f"{base}-{name}.npy" for name in taken.arrays}
            for name, path in paths.items():
                numpy.save(path, taken.arrays[name])
            case = {"file": file, "line": line, "case": text, "call": call, "arrays": paths}
            case |= {"wrt": taken.wrt, "rungs": {}}
            if library == "arrays":
                found.append(case)
                continue
            if library == "numpy":
                case["rungs"] = told_by_numpy(call, module.__dict__, taken.arrays)
                found.append(case)
                continue
            for rung in RUNGS:
                try:
                    loss, gradient = run(call, module.__dict__, taken.arrays, taken.wrt, rung)
                    path = f"{base}-{rung}.npy"
                    numpy.save(path, gradient.detach().double().numpy())
                    values = loss.detach().double().reshape(-1).tolist()
                    told = {"loss": [repr(v) for v in values], "gradient": path}
                    told["dtype"] = str(loss.dtype).removeprefix("torch.")
                    case["rungs"][rung] = told
                except Exception as error:  # PyTorch refuses some operations in some types
                    case["rungs"][rung] = {"error": f"{type(error).__name__}: {error}"}
            found.append(case)
    vector_bytes = 64 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 32
    print("\n" + json.dumps({"cases": found, "vectorBytes": vector_bytes}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
