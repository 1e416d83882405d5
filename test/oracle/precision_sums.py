"""Sums of one list of numbers, shaped and permuted in many ways, by real PyTorch and NumPy.

usage: precision_sums.py OUTPUT_FOLDER
Writes the numbers to OUTPUT_FOLDER/numbers.npy; prints the cases as JSON. A case takes the first
numbers, rounded to a type, in a shape, sliced, with axes expanded (their first entry repeated) and
permuted (a view, not a copy), and sums over axes.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy
import torch

SHAPES = [
    (1,), (3,), (7,), (16,), (31,), (64,), (129,), (1000,), (4099,), (32768,), (70001,),
    (5, 3), (3, 200), (200, 3), (40, 70), (1000, 17), (2, 20000), (20000, 2),
    (2, 3, 40), (2, 1, 8, 8), (2, 3, 8, 8), (2, 4, 33, 35), (3, 1, 5, 6, 7), (2, 3, 9, 20, 11),
    (1, 1, 64, 64), (70, 3, 1, 5),
]
TORCH = {name: getattr(torch, name) for name in ("float64", "float32", "float16", "bfloat16")}
NUMPY = {name: getattr(numpy, name) for name in ("float64", "float32", "float16")}


def permutations(rank):
    """As they are; channels last; reversed; the first two axes swapped."""
    plain = tuple(range(rank))
    found = {plain, plain[::-1]}
    if rank >= 3:
        found.add((0, *plain[2:], 1))
    if rank >= 2:
        found.add((1, 0, *plain[2:]))
    return sorted(found)


def slicings(rank):
    """Start and step for each axis: all; without the first of the last axis; every other."""
    plain = [(0, 1)] * rank
    found = [plain, plain[:-1] + [(1, 1)], plain[:-1] + [(0, 2)]]
    if rank >= 2:
        found.append([(0, 1), (1, 1), *plain[2:]])
    return found


def expansions(rank, slices):
    """None; the first axis, the last axis."""
    cut = any(s != (0, 1) for s in slices)
    return [[]] if rank < 2 or cut else [[], [0], [rank - 1]]


def axes(rank):
    every = [d for n in range(1, rank + 1) for d in itertools.combinations(range(rank), n)]
    return [list(d) for d in every] if rank < 4 else [list(d) for d in every if len(d) != 3 or 0 in d]


def main(out):
    torch.set_num_threads(1)
    numbers = numpy.random.default_rng(7).uniform(-0.3, 1.0, 70001)
    numpy.save(pathlib.Path(out, "numbers.npy"), numbers)
    cases = []
    for shape in SHAPES:
        drawn = numbers[: math.prod(shape)].reshape(shape)
        for slices in slicings(len(shape)):
            cut = tuple(slice(start, None, step) for start, step in slices)
            if 0 in drawn[cut].shape:
                continue
            rank = len(shape)
            layouts = itertools.product(expansions(rank, slices), permutations(rank), axes(rank))
            for expanded, permutation, dims in layouts:
                case = {"shape": shape, "slices": slices, "expanded": expanded}
                case |= {"permutation": permutation, "dims": dims}
                single = tuple(slice(0, 1 if d in expanded else None) for d in range(rank))
                for name, dtype in TORCH.items():
                    x = torch.from_numpy(drawn).to(dtype)[cut]
                    x = x[single].expand_as(x).permute(permutation)
                    found = x.sum(dims).double().reshape(-1).tolist()
                    cases.append(case | {"library": "torch", "dtype": name, "sums": found})
                for name, dtype in NUMPY.items():
                    x = drawn.astype(dtype)[cut]
                    x = numpy.broadcast_to(x[single], x.shape).transpose(permutation)
                    found = x.sum(axis=tuple(dims)).astype(numpy.float64).reshape(-1).tolist()
                    cases.append(case | {"library": "numpy", "dtype": name, "sums": found})
    print("\n" + json.dumps({"cases": cases}))


if __name__ == "__main__":
    main(sys.argv[1])
