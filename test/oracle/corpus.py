"""Runs the corpus through the real libraries: loss and gradient of every case, in float64.

usage: corpus.py LIBRARY OUTPUT_FOLDER FILE...
LIBRARY is the folder below test/corpus: torch, numpy, autograd, jax, tensorflow, keras, or
libraries (losses of installed packages, on torch unless a file says `# backend: tensorflow`).
Prints the cases as JSON; arrays are written to OUTPUT_FOLDER as .npy.

A case is a comment line in a corpus file:

    # case: DiceLoss(smooth=each(0.0, 1.0))(logits(2, 1, 8, 8), mask(2, 1, 8, 8))

`each(...)` makes one case a value. Calls of the array makers below become arrays, drawn from a
generator that is seeded by the case's text. The gradient is by the first of probabilities, logits
and simplex. What the code casts to float32 runs as float64: the formula is what is compared.
"""

import ast
import itertools
import json
import pathlib
import re
import sys
import types
import zlib

import numpy

from corpus_backends import backend_for

CASE = re.compile(r"^\s*# case: (.+)$", re.MULTILINE)
BACKEND = re.compile(r"^# backend: (\w+)$", re.MULTILINE)

# Those that the gradient may be by.
DIFFERENTIABLE = ("probabilities", "logits", "simplex")


class Makers:
    """The array makers, drawing from one generator."""

    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)

    def probabilities(self, *shape):
        return self.random.uniform(0.02, 0.98, shape)

    def logits(self, *shape):
        return self.random.normal(0.0, 2.0, shape)

    def simplex(self, *shape, axis=1):
        e = numpy.exp(self.random.normal(0.0, 1.0, shape))
        return e / e.sum(axis=axis, keepdims=True)

    def mask(self, *shape):
        drawn = self.random.uniform(size=shape) < 0.4
        # Neither empty nor full: those are cases of their own, written with zeros and ones.
        drawn.reshape(-1)[0] = True
        drawn.reshape(-1)[-1] = False
        return drawn.astype(numpy.float64)

    def soft(self, *shape):
        return self.random.uniform(0.0, 1.0, shape)

    def bools(self, *shape):
        return self.random.uniform(size=shape) < 0.6

    def labels(self, *shape, classes):
        drawn = self.random.integers(0, classes, shape)
        # Each class occurs, where there is room for all.
        flat = drawn.reshape(-1)
        flat[: min(classes, flat.size)] = numpy.arange(min(classes, flat.size))
        return drawn.astype(numpy.int64)

    def onehot(self, *shape, axis=1):
        classes = shape[axis]
        rest = tuple(n for d, n in enumerate(shape) if d != axis % len(shape))
        eye = numpy.eye(classes)[self.labels(*rest, classes=classes)]
        return numpy.ascontiguousarray(numpy.moveaxis(eye, -1, axis))

    def weights(self, *shape):
        return self.random.uniform(0.5, 2.0, shape)

    def zeros(self, *shape):
        return numpy.zeros(shape)

    def ones(self, *shape):
        return numpy.ones(shape)


MAKERS = tuple(name for name in vars(Makers) if not name.startswith("_"))


def expand(tree):
    """The trees that a case's `each(...)` stand for."""
    spots = [n for n in ast.walk(tree) if is_call_of(n, ("each",))]
    if not spots:
        return [tree]
    text = ast.unparse(tree)
    # The innermost first, so that nested ones work too.
    spot = spots[-1]
    found = []
    for choice in spot.args:
        again = ast.parse(text, mode="eval")
        same = [n for n in ast.walk(again) if is_call_of(n, ("each",))][-1]
        found.extend(expand(Replace(same, choice).visit(again)))
    return found


def is_call_of(node, names):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


class Replace(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


class TakeArrays(ast.NodeTransformer):
    """Replaces calls of the makers by names of arrays, in the order of the text."""

    def __init__(self, makers):
        self.makers = makers
        self.arrays = {}
        self.wrt = None

    def visit_Call(self, node):
        self.generic_visit(node)
        if not is_call_of(node, MAKERS):
            return node
        maker = node.func.id
        args = [ast.literal_eval(a) for a in node.args]
        keywords = {k.arg: ast.literal_eval(k.value) for k in node.keywords}
        name = f"array_{len(self.arrays)}"
        self.arrays[name] = getattr(self.makers, maker)(*args, **keywords)
        if self.wrt is None and maker in DIFFERENTIABLE:
            self.wrt = name
        return ast.Name(name, ast.Load())


def cases_of(file, source):
    for match in CASE.finditer(source):
        line = source.count("\n", 0, match.start(1)) + 1
        for tree in expand(ast.parse(match.group(1).strip(), mode="eval")):
            text = ast.unparse(tree)
            taking = TakeArrays(Makers(zlib.crc32(text.encode())))
            call = ast.unparse(taking.visit(tree))
            if taking.wrt is None:
                raise ValueError(f"{file}:{line}: a case needs one of {', '.join(DIFFERENTIABLE)}")
            yield line, text, call, taking


def main(library, out, files):
    found = []
    # Packages beside the files; last, since some files have the names of modules.
    sys.path.extend(sorted({str(pathlib.Path(file).parent) for file in files}))
    for number, file in enumerate(files):
        source = pathlib.Path(file).read_text()
        asked = BACKEND.search(source)
        backend = backend_for(asked.group(1) if asked else library)
        module = types.ModuleType(f"corpus_{number}")
        # Dataclasses and Keras look a class's module up by its name.
        sys.modules[module.__name__] = module
        module.__file__ = file
        backend.execute(compile(source, file, "exec"), module.__dict__)
        for line, text, call, taken in cases_of(file, source):
            base = pathlib.Path(out, f"{library}-{number}-{len(found)}")
            paths = {name: f"{base}-{name}.npy" for name in taken.arrays}
            for name, path in paths.items():
                numpy.save(path, taken.arrays[name])
            case = {"file": file, "line": line, "case": text, "call": call, "arrays": paths}
            case |= {"wrt": taken.wrt, "backend": backend.name}
            try:
                loss, gradient = backend.run(call, module.__dict__, taken.arrays, taken.wrt)
                numpy.save(f"{base}-gradient.npy", numpy.asarray(gradient, dtype=numpy.float64))
                case |= {"loss": repr(float(loss)), "gradient": f"{base}-gradient.npy"}
            except Exception as error:  # a broken case is one failing test, not the end of all
                case |= {"error": f"{type(error).__name__}: {error}"}
            found.append(case)
    print("\n" + json.dumps({"cases": found}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
