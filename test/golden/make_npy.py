"""Writes test/golden/arrays: files saved by NumPy, and what NumPy holds in them.

Run with the versions named in VERSIONS, from anywhere:

    python3 -m venv VENV && VENV/bin/pip install numpy==2.4.6 ml_dtypes==0.6.0
    VENV/bin/python test/golden/make_npy.py

Values are written as text that reads back exactly: integers in decimal, floats as repr, a complex
number as its two parts.
"""

import io
import json
import math
import pathlib
import zipfile

import ml_dtypes
import numpy as np

VERSIONS = {"numpy": "2.4.6", "ml_dtypes": "0.6.0"}
assert np.__version__ == VERSIONS["numpy"], np.__version__
assert ml_dtypes.__version__ == VERSIONS["ml_dtypes"], ml_dtypes.__version__

OUT = pathlib.Path(__file__).parent / "arrays"
OUT.mkdir(exist_ok=True)

DTYPES = "?,i1,u1,i2,u2,i4,u4,i8,u8,f2,f4,f8,c8,c16".split(",")


def number(x):
    if isinstance(x, (bool, np.bool_)):
        return str(int(x))
    if isinstance(x, (complex, np.complexfloating)):
        return [number(x.real), number(x.imag)]
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return str(int(x))


def expected(array):
    return {
        "dtype": array.dtype.newbyteorder("=").name,
        "shape": list(array.shape),
        "values": [number(x) for x in array.ravel(order="C")],
    }


def sample(dtype, shape):
    """Values at the dtype's edges, then others; every element differs where the dtype allows."""
    dtype = np.dtype(dtype)
    count = math.prod(shape)
    if dtype.kind == "b":
        values = [i % 3 == 0 for i in range(count)]
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = [info.min, info.max, 0, 1, *range(2, 2 + count)][:count]
    else:
        part = np.finfo(dtype)
        edges = [
            -0.0,
            float("nan"),
            float("inf"),
            float("-inf"),
            float(part.max),
            float(part.tiny),
            float(part.smallest_subnormal),
            0.1,
        ]
        values = [*edges, *(i / 7 for i in range(count))][:count]
        if dtype.kind == "c":
            values = [complex(v, -w) for v, w in zip(values, reversed(values))]
    return np.array(values, dtype=dtype).reshape(shape)


files = []


def add(name, array, **extra):
    files.append({"file": name, **expected(array), **extra})


def save(name, array, version=None):
    with open(OUT / name, "wb") as out:
        np.lib.format.write_array(out, array, version=version, allow_pickle=True)


for code in DTYPES:
    for order in "<>" if np.dtype(code).itemsize > 1 else "|":
        dtype = np.dtype(code).newbyteorder(order)
        array = sample(code, (2, 3, 4)).astype(dtype)
        label = np.dtype(code).name + {"<": "-le", ">": "-be", "|": ""}[order]
        save(f"{label}.npy", array)
        add(f"{label}.npy", array)
        save(f"{label}-fortran.npy", np.asfortranarray(array))
        add(f"{label}-fortran.npy", array)

for name, array in {
    "scalar": np.array(0.1, dtype=np.float32),
    "scalar-fortran": np.asfortranarray(np.array(7, dtype=">i4")),
    "empty": np.zeros((0,), dtype=np.float64),
    "empty-3d": np.zeros((2, 0, 3), dtype=np.int16),
    "empty-fortran": np.zeros((2, 0, 3), dtype=np.float32, order="F"),
    "one-axis": np.arange(5, dtype=np.uint16),
    "ones-in-shape": np.asfortranarray(sample("f4", (1, 4, 1, 3))),
    "five-axes-fortran": np.asfortranarray(sample("i2", (2, 3, 1, 2, 4))),
}.items():
    save(f"{name}.npy", array)
    add(f"{name}.npy", array)

for version in [(1, 0), (2, 0), (3, 0)]:
    array = sample("f4", (3, 2))
    name = f"version-{version[0]}.npy"
    save(name, array, version=version)
    add(name, array)

refused = {}


def refuse(name, array, *words):
    save(name, array)
    refused[name] = list(words)


refuse("object.npy", np.array([1, None], dtype=object), "object", "pickle")
refuse(
    "structured.npy",
    np.zeros(2, dtype=[("prob", "<f4"), ("mask", "?", (2,))]),
    "prob",
    "mask",
    "structured",
)
refuse("structured-unicode.npy", np.zeros(2, dtype=[("\u03b1", "<f4"), ("b", "<f4")]), "structured")
refuse("unicode.npy", np.array(["a", "bcd"]), "Unicode", "U3")
refuse("bytes.npy", np.array([b"a", b"bcd"]), "byte strings", "S3")
refuse("datetime.npy", np.array(["2024-01-01"], dtype="M8[ns]"), "datetime64")
refuse("timedelta.npy", np.array([5], dtype="m8[s]"), "timedelta64")
refuse("longdouble.npy", np.array([0.1], dtype=np.longdouble), "f16", "float64")
refuse("clongdouble.npy", np.array([0.1], dtype=np.clongdouble), "c32", "complex128")
refuse("bfloat16.npy", np.array([0.1], dtype=ml_dtypes.bfloat16), "bfloat16", "float32")

prob = sample("f4", (2, 3))
mask = np.array([[True, False, True], [False, False, True]])
big = np.arange(40_000, dtype=np.float32).reshape(100, 400) // 100
np.savez(OUT / "stored.npz", prob=prob, mask=mask)
np.savez_compressed(OUT / "deflated.npz", prob=prob, mask=mask, big=big)
np.savez_compressed(OUT / "single.npz", np.asfortranarray(prob.astype(">f8")))
np.savez(OUT / "none.npz")
np.savez(OUT / "mixed.npz", prob=prob, names=np.array(["a"]), things=np.array([None]))
for name in ["stored.npz", "deflated.npz"]:
    add(name, prob, member="prob")
    add(name, mask, member="mask")
add("single.npz", prob.astype(">f8"), member="arr_0")
files.append({"file": "deflated.npz", "member": "big", "sum": number(big.astype(float).sum())})


class Unseekable(io.RawIOBase):
    """A pipe's like: sizes go behind each member, as they are not known before."""

    def __init__(self, out):
        self.out = out

    def writable(self):
        return True

    def write(self, data):
        return self.out.write(data)


def npy_bytes(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


with open(OUT / "streamed.npz", "wb") as out:
    with zipfile.ZipFile(Unseekable(out), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment after the directory"
        archive.writestr("prob.npy", npy_bytes(prob))
add("streamed.npz", prob, member="prob")
for method, name in [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")]:
    with zipfile.ZipFile(OUT / f"{name}.npz", "w", method) as archive:
        archive.writestr("prob.npy", npy_bytes(prob))

# Literals, as NumPy evaluates them; the reader must come to the same without evaluating Python.
LITERALS = """
[[0.1, 1e-7], [True, False]]
[1, 2, 3]
[True, False]
[[1, 2.5], [3, 4]]
[]
[[], []]
[[[]]]
0.5
True
-1
(1, 2), (3, 4)
((1,), (2,))
[1_000, 0x1F, 0b101, 0o17, 1_0.5_0e-1_0]
[-1, +2, --3, -0.0, 0]
[1/3, 2/3, 7//2, -7//2, 7%3, -7%3, 7.5//-2, -7.5%2, 2**10, 10**-5, 10**-3, 3**-2, 2.0**0.5]
[1 + 2*3, (1 + 2)*3, 1 - 2 - 3, 2**3**2, -2**2, 8/4/2]
[float("nan"), float("inf"), -float("inf"), float("-Infinity"), float("1e3"), float(2), int(2.9)]
[np.nan, np.inf, -np.inf, np.pi, math.e, math.pi]
[9007199254740993, 2**63 - 1, -2**63]
[2**63, 1]
[2**63, -1]
[1/49, 10**30/3, (2**70 + 1)/2**17, 2**64/3]
[0.5] * 4
[[0, 1] * 2] * 3
[1] + [2, 3]
np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32)
np.array([0.1, 0.2], dtype="float16")
np.array([0.1, 0.2], np.float16)
np.array([1, 0, 2], dtype=bool)
np.array([0.1, -1.9], dtype=np.int32)
np.array([1, 2], dtype="<f4")
np.array([1, 2], dtype=">i2")
np.array([1, 2], dtype="u1")
np.array([1, 2], dtype="d")
np.array([1, 2], dtype=float)
np.array([1.5, 2], dtype=int)
np.array([1, 2], dtype=np.dtype("float32"))
np.array([1, 2], dtype=complex)
np.array([0.1, 65519.99, 65520.0, 5.960464477539063e-08, 2.9802322387695312e-08, 1e-9], dtype=np.float16)
np.array([[1, 2]], ndmin=4)
np.array(0.25)
np.asarray([1, 2])
np.array([9007199254740993, 2**62 + 1], dtype=np.float32)
np.array([[np.float32(0.1), np.float32(0.2)]])
np.array([np.float32(0.1), 0.2])
np.array([np.float32(0.1), 1])
np.array([np.int8(1), np.uint8(2)])
np.array([np.array([1, 2]), [3, 4.5]])
np.float32(0.1)
np.uint8([1, 2])
np.zeros((2, 3))
np.zeros(3, dtype=np.uint8)
np.zeros((0, 3))
np.ones((2, 2), np.float32)
np.ones(())
np.full((2, 2), 0.5)
np.full((2,), 1)
np.full(2, True)
np.full((2, 2), 0.1, dtype=np.float16)
np.eye(3)
np.eye(2, 4, 1)
np.eye(3, k=-1, dtype=int)
np.eye(3, k=5)
np.identity(2)
np.arange(6)
np.arange(2, 8, 3)
np.arange(5, 0, -2)
np.arange(0, 1, 0.1)
np.arange(1.5)
np.arange(0, 1, 0.1, dtype=np.float32)
np.arange(0.1, 2.0, 0.07, dtype=np.float16)
np.arange(3, 0)
np.arange(4, dtype=np.float32)
np.arange(stop=4, start=1)
np.linspace(0, 1, 5)
np.linspace(0, 1, 7)
np.linspace(-3, 5, 23)
np.linspace(0, 1, 10, endpoint=False)
np.linspace(2, 3, num=1)
np.linspace(2, 3, num=0)
np.linspace(2, 2, num=3)
np.linspace(0, 1, 11, dtype=np.float32)
np.linspace(0, 10, 4, dtype=int)
np.arange(6).reshape(2, 3)
np.arange(6).reshape((3, -1))
np.arange(6).reshape(2, 3).T
np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2)
np.arange(24).reshape(2, 3, 4).transpose((2, 0, 1))
np.arange(24).reshape(2, 3, 4).transpose()
np.arange(6).reshape(2, 3).flatten()
np.arange(6).reshape(1, 2, 1, 3).squeeze()
np.arange(6).reshape(1, 2, 1, 3).squeeze(axis=2)
np.array([0.1, 1.5, 2.5]).astype(np.float32)
np.array([-1.9, 1.9]).astype(int)
np.array([-1, 300]).astype(np.uint8)
np.array([2**53 + 1, 2**62 + 2**38 + 1]).astype(np.float32)
np.array([0, 1, 2]).astype(bool)
np.reshape([1, 2, 3, 4], (2, 2))
np.ones((2, 2)) * 0.5
1 - np.array([0.25, 1.0])
-np.array([0.0, 1.0])
np.array([1, 2]) / 3
np.array([1, 2]) * 0.5
np.float32(1) / 3
np.array([0.1, 0.2], dtype=np.float32) * 0.3
np.array([0.1, 0.2], dtype=np.float32) + np.array([0.3, 0.4])
np.array([100, 2], dtype=np.int8) * np.array([2, 3], dtype=np.int8)
np.array([True, False]) + 1
np.array([[1, 2], [3, 4]]) - np.array([[4, 3], [2, 1]])
""".strip().split("\n")
LITERALS.append("np.array([\n    [0.1, 0.2],  # background ] (\n    [0.3, 0.4],\n])")
LITERALS.append("[0.1, \\\n 0.2]")

literals = []
for text in LITERALS:
    with np.errstate(all="ignore"):
        value = eval(text, {"np": np, "math": math})
        literals.append({"text": text, **expected(np.asarray(value))})

NAMES = [np.dtype(code).name for code in DTYPES]
promotions = {a: {b: np.promote_types(a, b).name for b in NAMES} for a in NAMES}

(OUT / "expected.json").write_text(
    json.dumps(
        {
            "versions": VERSIONS,
            "files": files,
            "refused": refused,
            "literals": literals,
            "promotions": promotions,
        },
        indent=0,
        ensure_ascii=True,
    )
    + "\n"
)
