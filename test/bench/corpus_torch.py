"""PyTorch's side of corpus.ts: losses of test/corpus/torch on enlarged arrays, run and timed here.

usage: corpus_torch.py OUTPUT_FOLDER FILE...
Prints the cases as a line of JSON, one of each loss, then answers one JSON object a line:
{"case", "entries", "as": "arrays"} with the call and the files of its arrays, which it writes;
{..., "as": "gradient"} with the loss, the milliseconds and the gradient's file;
{..., "as": "time"} with the loss and the milliseconds of forward and backward; or {"error"}.
All is float32, as PyTorch has it, on one thread.
"""

import ast
import json
import math
import pathlib
import resource
import sys
import time
import types
import zlib

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "oracle"))

import corpus
import corpus_backends

# Of the cases of a loss the first is taken whose prediction is not larger.
SMALL = 10_000
# Bytes: a loss that loops over what grows with the arrays must fail alone, and not end the process.
MOST_MEMORY = 12 * 2**30


class Enlarge(ast.NodeTransformer):
    """Multiplies the spatial axes of every array of a case: all but batch and class."""

    def __init__(self, shape, entries):
        self.dims = len(shape)
        self.spatial = self.dims - 2 if self.dims > 2 else 1
        free = [d for d in range(self.dims - self.spatial, self.dims) if shape[d] > 1]
        if not free:
            raise ValueError("the prediction has no axis to enlarge")
        factor = max(1, entries / math.prod(shape))
        each = max(1, int(factor ** (1 / len(free))))
        # From the last axis on, where that of 1 entry does not count.
        self.factors = {self.dims - d: each for d in free}
        self.factors[self.dims - free[-1]] = math.ceil(factor / each ** (len(free) - 1))

    def visit_Call(self, node):
        self.generic_visit(node)
        if corpus.is_call_of(node, corpus.MAKERS):
            sizes = [ast.literal_eval(a) for a in node.args]
            # Weights of classes and the like have no spatial axes.
            if len(sizes) >= self.dims - (1 if self.dims > 2 else 0):
                for back, factor in self.factors.items():
                    if sizes[-back] > 1:
                        sizes[-back] *= factor
            node.args = [ast.Constant(n) for n in sizes]
        return node


class Case:
    """A case on arrays of one size."""

    def __init__(self, text, scope, wrt_shape, entries):
        tree = Enlarge(wrt_shape, entries).visit(ast.parse(text, mode="eval"))
        taking = corpus.TakeArrays(corpus.Makers(zlib.crc32(text.encode())))
        self.tree = ast.fix_missing_locations(taking.visit(tree))
        self.call = ast.unparse(self.tree)
        self.wrt = taking.wrt
        self.scope = scope
        self.arrays = {k: single(a) for k, a in taking.arrays.items()}

    def tensors(self):
        given = {k: torch.from_numpy(a.copy()) for k, a in self.arrays.items()}
        given[self.wrt].requires_grad_(True)
        call = self.tree.body
        value = lambda node: eval(
            compile(ast.Expression(node), "case", "eval"), self.scope | given
        )
        function = value(call.func)
        args = [value(a) for a in call.args]
        keywords = {k.arg: value(k.value) for k in call.keywords}
        return given[self.wrt], lambda: function(*args, **keywords)


def single(a):
    return a.astype(numpy.float32) if a.dtype == numpy.float64 else a


def run(x, call):
    """Milliseconds of forward and backward, and the loss."""
    x.grad = None
    began = time.perf_counter()
    loss = corpus_backends.scalar_of(call(), lambda v: v.ndim == 0)
    total = loss.sum()
    if total.requires_grad:
        total.backward()
    value = total.item()
    if not math.isfinite(value):
        raise ValueError(f"the loss is {value}")
    return {"ms": (time.perf_counter() - began) * 1000, "loss": value}


def one_a_loss(files):
    """Case, its file's module and the shape of its prediction, for every loss of the files."""
    found = {}
    for number, file in enumerate(files):
        source = pathlib.Path(file).read_text()
        module = types.ModuleType(f"corpus_{number}")
        sys.modules[module.__name__] = module
        module.__file__ = file
        exec(compile(source, file, "exec"), module.__dict__)
        for line, text, _, taken in corpus.cases_of(file, source):
            shape = taken.arrays[taken.wrt].shape
            key = (file, text.split("(")[0])
            if math.prod(shape) <= SMALL:
                found.setdefault(key, (line, text, module.__dict__, shape))
    return found


def answer(request, cases, out, state):
    """What is asked of a case. Of cases and sizes the last one is kept."""
    key = (request["case"], request["entries"])
    if state.get("key") != key:
        state.clear()
        _, text, scope, shape = cases[key[0]]
        state.update(key=key, case=Case(text, scope, shape, key[1]))
    case = state["case"]
    match request["as"]:
        case "arrays":
            paths = {name: str(out / f"{name}.npy") for name in case.arrays}
            for name, path in paths.items():
                numpy.save(path, case.arrays[name])
            return {"call": case.call, "arrays": paths, "wrt": case.wrt}
        case "gradient":
            x, call = case.tensors()
            result = run(x, call)
            path = str(out / "gradient.npy")
            gradient = torch.zeros_like(x) if x.grad is None else x.grad
            numpy.save(path, gradient.numpy())
            return result | {"gradient": path}
        case _:
            if "run" not in state:
                state["run"] = case.tensors()
            return run(*state["run"])


def main(out, files):
    sys.path.extend(sorted({str(pathlib.Path(file).parent) for file in files}))
    # Some losses print.
    answers, sys.stdout = sys.stdout, sys.stderr
    found = one_a_loss(files)
    listed = [{"file": f, "line": v[0], "case": v[1]} for (f, _), v in found.items()]
    print(json.dumps(listed), file=answers, flush=True)
    cases, state = list(found.values()), {}
    for line in sys.stdin:
        try:
            said = answer(json.loads(line), cases, pathlib.Path(out), state)
        except Exception as error:  # what the library cannot do on large arrays is one loss less
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    corpus_backends.bare_parents()
    import torch

    corpus_backends.absent_requirements(corpus_backends.ABSENT)
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    main(sys.argv[1], sys.argv[2:])
