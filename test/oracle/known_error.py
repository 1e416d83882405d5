"""Expressions evaluated with 100 digits, by an evaluator that shares nothing with the product's.

usage: known_error.py PROBLEMS.json
PROBLEMS is a list of {nodes, loss, gradient, wrt, arrays, elements}: the expression's nodes in order
(arguments before their users), the positions of the loss and its gradient among them, the name of
the input differentiated by, the arrays (shape and numbers) by name, and entries of `wrt` to take
difference quotients by. Prints for each, as JSON,
- loss, gradient: every entry as three float64 that add up to it, null where it is not finite;
- slopes: for each element the difference quotients of the loss from the left and from the right,
  with a step of 1e-30, what is detached held as it is;
- least, most: magnitudes of the smallest intermediate result that is not 0, and of the largest;
- close: whether a comparison, a rounding or a choice of computed numbers is closer than rounding
  can tell, or comes out otherwise with 53 or 24 bits, so that another branch may be taken there.
"""

import json
import sys

import numpy
from mpmath import mp, mpf

mp.dps = 100
ZERO, ONE, INFINITY, NAN = mpf(0), mpf(1), mpf("inf"), mpf("nan")
STEP = mpf(10) ** -30
CLOSE = mpf(2) ** -40


def finite(x):
    return mp.isfinite(x)


def divide(x, y):
    if y != 0 or not finite(x):
        return x / y if y != 0 else x
    return NAN if x == 0 or mp.isnan(x) else INFINITY if x > 0 else -INFINITY


def log(x):
    return NAN if mp.isnan(x) or x < 0 else -INFINITY if x == 0 else mp.log(x)


def power(x, y):
    if y == 0:
        return ONE
    if x == 0:
        return INFINITY if y < 0 else ZERO
    if x < 0 and y != mp.floor(y):
        return NAN
    return x ** int(y) if y == mp.floor(y) and abs(y) < 1000 else mp.power(x, y)


def modulo(x, y):
    return NAN if y == 0 else x - y * mp.floor(x / y)


def truth(x):
    return ONE if x else ZERO


UNARY = {
    "neg": lambda x: -x,
    "exp": mp.exp,
    "log": log,
    "log1p": lambda x: -INFINITY if x == -1 else NAN if x < -1 else mp.log1p(x),
    "expm1": mp.expm1,
    "sqrt": lambda x: NAN if x < 0 else mp.sqrt(x),
    "abs": abs,
    "sign": mp.sign,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "logsigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "tanh": mp.tanh,
    "relu": lambda x: x if x > 0 or mp.isnan(x) else ZERO,
    "cosh": mp.cosh,
    "sinh": mp.sinh,
    "sin": mp.sin,
    "cos": mp.cos,
    "round": mp.nint,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "not": lambda x: truth(x == 0),
    "isnan": lambda x: truth(mp.isnan(x)),
    "isfinite": lambda x: truth(finite(x)),
}
BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": divide,
    "pow": power,
    "max": lambda x, y: x if x >= y or mp.isnan(x) else y,
    "min": lambda x, y: x if x <= y or mp.isnan(x) else y,
    "mod": modulo,
    "floordiv": lambda x, y: NAN if y == 0 else mp.floor(x / y),
    "eq": lambda x, y: truth(x == y),
    "ne": lambda x, y: truth(x != y),
    "lt": lambda x, y: truth(x < y),
    "le": lambda x, y: truth(x <= y),
    "gt": lambda x, y: truth(x > y),
    "ge": lambda x, y: truth(x >= y),
    "and": lambda x, y: truth(x != 0 and y != 0),
    "or": lambda x, y: truth(x != 0 or y != 0),
}
SWITCHES = {"max", "min", "eq", "ne", "lt", "le", "gt", "ge"}
WHOLE = {"add", "sub", "mul", "sum"}
STEPS = {"round", "floor", "ceil", "sign", "abs", "relu"}


def small_whole(x):
    """Whether x is a whole number that sums and products in float32 get exactly, as counts are."""
    return abs(x) < 2**24 and x == mp.floor(x)


def elementwise(f, *arrays):
    found = numpy.frompyfunc(f, len(arrays), 1)(*arrays)
    return found if isinstance(found, numpy.ndarray) else numpy.array(found, dtype=object)


def filled(shape, value):
    found = numpy.empty(shape, dtype=object)
    found.fill(value)
    return found


def reduced(op, x, dims, keep):
    """Over the axes dims; numpy folds object arrays with any function of two numbers."""
    start = {"sum": ZERO, "mean": ZERO, "prod": ONE, "any": ZERO, "all": ONE}.get(op)
    fold = {"sum": "add", "mean": "add", "prod": "mul", "any": "or", "all": "and"}.get(op, op)
    order = [d for d in range(x.ndim) if d not in dims]
    rest = tuple(x.shape[d] for d in order)
    rows = x.transpose(order + list(dims)).reshape(rest + (-1,))
    found = numpy.empty(rest, dtype=object)
    for at in numpy.ndindex(rest):
        row = list(rows[at])
        total = row.pop(0) if start is None else start
        for term in row:
            total = BINARY[fold](total, term)
        found[at] = total / rows.shape[-1] if op == "mean" else total
    if keep:
        found = found.reshape([1 if d in dims else n for d, n in enumerate(x.shape)])
    return found


def softmax(x, dim):
    powers = elementwise(mp.exp, x)
    return elementwise(divide, powers, reduced("sum", powers, [dim], True))


class Evaluation:
    def __init__(self, nodes, arrays, held=None):
        self.nodes, self.arrays, self.held = nodes, arrays, held
        self.values, self.exact = [], []
        self.close = False
        self.decisions = []
        self.least, self.most = INFINITY, ZERO
        for k, node in enumerate(nodes):
            args = [self.values[a] for a in node["args"]]
            value = self.value(k, node, args)
            assert value.shape == tuple(node["shape"]), (node, value.shape)
            self.values.append(value)
            self.note(node, args, value)

    def value(self, k, node, args):
        kind, shape = node["kind"], tuple(node["shape"])
        x = args[0] if args else None
        if kind in ("const", "parameter", "size"):
            return filled(shape, mpf(node["value"]))
        if kind == "input":
            return self.arrays[node["name"]]
        if kind == "unary":
            return elementwise(UNARY[node["op"]], x)
        if kind == "binary":
            return elementwise(BINARY[node["op"]], *args)
        if kind == "where":
            return elementwise(lambda c, a, b: a if c != 0 else b, *args)
        if kind == "clamp":
            return elementwise(lambda v, a, b: BINARY["min"](BINARY["max"](v, a), b), *args)
        if kind == "cast":
            whole = {"int": lambda v: mp.sign(v) * mp.floor(abs(v)), "bool": lambda v: truth(v != 0)}
            return elementwise(whole[node["to"]], x) if node["to"] in whole else x
        if kind == "stopGradient":
            return x if self.held is None else self.held[k]
        if kind == "reduce":
            return reduced(node["op"], x, node["dims"], node["keepDims"])
        if kind == "argReduce":
            pick = max if node["op"] == "argmax" else min
            rows = numpy.moveaxis(x, node["dim"], -1)
            found = numpy.empty(rows.shape[:-1], dtype=object)
            for at in numpy.ndindex(found.shape):
                row = list(rows[at])
                found[at] = mpf(row.index(pick(row)))
            return found.reshape(shape)
        if kind == "softmax":
            p = softmax(x, node["dim"])
            return elementwise(log, p) if node["log"] else p
        if kind == "reshape":
            return x.reshape(shape)
        if kind == "transpose":
            return x.transpose(node["perm"])
        if kind == "expand":
            return numpy.broadcast_to(x, shape)
        if kind in ("stack", "concat"):
            join = numpy.stack if kind == "stack" else numpy.concatenate
            return join(args, axis=node["dim"])
        if kind == "oneHot":
            places = [elementwise(lambda v, c=c: truth(v == c), x) for c in range(shape[node["dim"]])]
            return numpy.stack(places, axis=node["dim"])
        if kind == "index":
            return numpy.array(numpy.take(x, node["at"], axis=node["dim"]), dtype=object)
        d = node["dim"]
        before = (slice(None),) * d
        if kind == "slice":
            picks = node["start"] + node["step"] * numpy.arange(shape[d])
            return numpy.take(x, picks, axis=d)
        found = filled(shape, ZERO)
        if kind == "place":
            found[before + (slice(node["at"], node["at"] + 1),)] = numpy.expand_dims(x, d)
        elif kind == "spread":
            found[before + (node["start"] + node["step"] * numpy.arange(x.shape[d]),)] = x
        elif kind == "slide":
            for at in numpy.ndindex(found.shape):
                k = at[d] + node["factor"] * at[node["by"]] + node["start"]
                if 0 <= k < x.shape[d]:
                    found[at] = x[at[:d] + (k,) + at[d + 1 :]]
        else:
            raise ValueError(f"unknown node {kind}")
        return found

    def note(self, node, args, value):
        """How large results are, and whether rounding may change a branch."""
        exact = [self.exact[a] for a in node["args"]]
        kind, op = node["kind"], node.get("op")
        picks = kind not in ("binary", "softmax", "unary", "reduce") or op in ("neg", "abs", "relu")
        counts = op in WHOLE and all(small_whole(v) for x in (*args, value) for v in x.flat)
        self.exact.append(all(exact) and (picks or op in SWITCHES or counts))
        if op in SWITCHES and kind == "binary":
            self.decisions.append([bool(x > y) - bool(x < y) for x, y in numpy.broadcast(*args)])
        elif kind == "clamp":
            sides = numpy.broadcast(*args)
            self.decisions.append([bool(x > high) - bool(x < low) for x, low, high in sides])
        elif kind == "argReduce" or op in ("round", "floor", "ceil", "sign"):
            self.decisions.append(list(value.flat))
        for v in value.flat:
            if finite(v) and v != 0:
                self.least, self.most = min(self.least, abs(v)), max(self.most, abs(v))
        if all(exact) or self.close:
            return
        pairs = []
        if kind == "binary" and op in SWITCHES:
            pairs = [args]
        elif kind == "clamp":
            pairs = [args[:2], [args[0], args[2]]]
        elif kind == "unary" and op in STEPS:
            pairs = [[args[0], elementwise(mp.nint, args[0]) if op in ("floor", "ceil") else filled((), ZERO)]]
            if op == "round":
                pairs = [[args[0], elementwise(lambda v: mp.floor(v) + mpf("0.5"), args[0])]]
        elif (kind == "reduce" and op in ("max", "min")) or kind == "argReduce":
            dims = node["dims"] if kind == "reduce" else [node["dim"]]
            order = [d for d in range(args[0].ndim) if d not in dims] + list(dims)
            rest = [args[0].shape[d] for d in order[: args[0].ndim - len(dims)]]
            rows = args[0].transpose(order).reshape(rest + [-1])
            for at in numpy.ndindex(tuple(rest)):
                row = sorted(rows[at])
                if len(row) > 1:
                    down = op in ("min", "argmin")
                    pairs.append([filled((), row[0 if down else -1]), filled((), row[1 if down else -2])])
        for x, y in pairs:
            near = elementwise(
                lambda a, b: finite(a) and finite(b) and abs(a - b) <= CLOSE * max(abs(a), abs(b), CLOSE),
                x,
                y,
            )
            self.close = self.close or bool(near.any())


def triple(x):
    if not finite(x):
        return None
    parts = []
    for _ in range(3):
        parts.append(float(x))
        x -= parts[-1]
    return parts


def solve(problem):
    nodes = problem["nodes"]
    arrays = {
        name: filled(tuple(a["shape"]), ZERO) for name, a in problem["arrays"].items()
    }
    for name, a in problem["arrays"].items():
        arrays[name].reshape(-1)[:] = [mpf(v) for v in a["data"]]
    here = Evaluation(nodes, arrays)
    close = here.close
    for bits in (53, 24):
        with mp.workprec(bits):
            close = close or Evaluation(nodes, arrays).decisions != here.decisions
    loss = here.values[problem["loss"]].reshape(-1)[0]
    # The loss alone, moved: its nodes are among those before it.
    used = nodes[: problem["loss"] + 1]

    def moved(element, step):
        by = arrays[problem["wrt"]].copy()
        by.reshape(-1)[element] += step
        again = Evaluation(used, arrays | {problem["wrt"]: by}, here.values)
        return again.values[problem["loss"]].reshape(-1)[0]

    slopes = []
    for element in problem["elements"]:
        left = (loss - moved(element, -STEP)) / STEP
        right = (moved(element, STEP) - loss) / STEP
        slopes.append([triple(left), triple(right)])
    return {
        "loss": triple(loss),
        "gradient": [triple(x) for x in here.values[problem["gradient"]].reshape(-1)],
        "slopes": slopes,
        "least": float(here.least),
        "most": float(here.most),
        "close": close,
    }


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print("\n" + json.dumps([solve(p) for p in json.load(file)]))
