"""What the makers of golden files share: where files go, and what is expected of them."""

import hashlib
import importlib.metadata
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "files"
OUT.mkdir(exist_ok=True)

files = []
refused = []
versions = {}


def version(package, wanted):
    found = importlib.metadata.version(package).split("+")[0]
    assert found == wanted, f"{package} {found}, not {wanted}"
    versions[package] = found


version("numpy", "2.4.6")


def number(x):
    if isinstance(x, (bool, np.bool_)):
        return str(int(x))
    if isinstance(x, (complex, np.complexfloating)):
        return [number(x.real), number(x.imag)]
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return str(int(x))


def expect(file, array, member=None, dtype=None, **extra):
    """The array that reading `file` gives; `dtype` names one that NumPy has not.

    Of large arrays there is a checksum of the elements, little-endian and in C order.
    """
    array = np.asarray(array)
    row = {"file": file}
    if member is not None:
        row["member"] = member
    row["dtype"] = dtype or array.dtype.newbyteorder("=").name
    row["shape"] = list(array.shape)
    if array.size <= 12:
        row["values"] = [number(x) for x in array.ravel(order="C")]
    else:
        if array.dtype.kind == "b":
            # Pillow's True may be any byte but 0.
            array = array != False
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        row["values"] = []
        row["sha256"] = hashlib.sha256(plain.tobytes()).hexdigest()[:32]
    files.append({**row, **extra})


def refuse(file, *words, member=None):
    """Words that the error of reading `file` must hold."""
    refused.append({"file": file, "words": list(words), **({"member": member} if member else {})})


def sample(dtype, shape, seed=0):
    """Values at the dtype's edges, then others; every element differs where the dtype allows."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    if dtype.kind == "b":
        values = [(i + seed) % 3 == 0 for i in range(count)]
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = [info.min, info.max, 0, 1, *range(2 + seed, 2 + seed + count)][:count]
    else:
        part = np.finfo(dtype)
        edges = [-0.0, float("inf"), float(part.max), float(part.smallest_subnormal), 0.1]
        values = [*edges, *((i + seed) / 7 for i in range(count))][:count]
        if dtype.kind == "c":
            values = [complex(v, -w) for v, w in zip(values, reversed(values))]
    return np.array(values, dtype=dtype).reshape(shape)
