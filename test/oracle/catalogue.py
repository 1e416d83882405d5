"""Losses and gradients of real libraries, for calls as the catalogue writes them.

usage: catalogue.py LIBRARY REQUESTS.json ANSWERS.json
REQUESTS holds a list of {"call", "form", "arrays": [{"name", "shape", "data", "type"}], "wrt"}; the
answers are {"version", "answers": [{"loss": [...], "gradient": [...]} or {"error": "..."}]}.

Numbers are written as Python's repr, which JSON's readers restore exactly; what is not finite is
written as a string. Casts to float32 inside a library run as float64 here, so that its formula and
not its rounding is what is compared.
"""

import functools

import json
import math
import sys
import warnings

import catalogue_libraries

warnings.filterwarnings("ignore")


def number(x):
    x = float(x)
    return x if math.isfinite(x) else repr(x)


def bind(call, names):
    """The callable of a call, with the arguments that stand in it."""
    callee, arguments = call.split("(", 1)
    arguments = arguments[:-1]
    text = f"partial({callee}, {arguments})" if arguments else f"partial({callee})"
    return eval(text, {"partial": functools.partial, **names})


def answer(request, backend, names):
    bound = bind(request["call"], names)
    arrays = {a["name"]: backend.array(a) for a in request["arrays"]}
    x = arrays[request["wrt"]]
    if request["form"] == "class":
        made = bound()
        evaluate = lambda: made(*arrays.values())
    else:
        evaluate = lambda: bound(**arrays)
    loss, gradient = backend.differentiate(evaluate, x)
    return {"loss": [number(v) for v in loss], "gradient": [number(v) for v in gradient]}


def main():
    library, requests, answers = sys.argv[1:4]
    backend, names, version = catalogue_libraries.load(library)
    results = []
    with open(requests) as file:
        for request in json.load(file):
            try:
                results.append(answer(request, backend, names))
            except Exception as error:
                results.append({"error": f"{type(error).__name__}: {error}"})
    with open(answers, "w") as file:
        json.dump({"version": version, "answers": results}, file)


main()
