"""MATLAB files of versions 4, 5 and 7.3, by SciPy and by h5py."""

import struct

import h5py
import numpy as np
import scipy.io
import scipy.sparse

from .common import OUT, expect, refuse, sample, version


def add(name, *members):
    read = scipy.io.loadmat(OUT / name)
    for member in members:
        expect(name, read[member], member=member)


def element(order, kind, data):
    """A part of a variable, with its tag, filled up to eight bytes."""
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def handmade(name, order, variables):
    """What MATLAB writes and SciPy does not: doubles in fewer bytes, and big-endian files."""
    text = b"MATLAB 5.0 MAT-file, made for a test".ljust(116) + bytes(8)
    out = text + struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    for variable, array, kind, cls, flags in variables:
        parts = element(order, 6, struct.pack(f"{order}II", cls | flags, 0))
        parts += element(order, 5, struct.pack(f"{order}{array.ndim}i", *array.shape))
        parts += element(order, 1, variable.encode())
        data = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
        if 0 < len(data) <= 4:
            parts += struct.pack(f"{order}I", len(data) << 16 | kind) + data.ljust(4, b"\0")
        else:
            parts += element(order, kind, data)
        out += struct.pack(f"{order}II", 14, len(parts)) + parts
    (OUT / name).write_bytes(out)


def make_4(broken):
    """Files of version 4: matrices of two axes, and both orders of bytes."""
    arrays = {np.dtype(code).name: sample(code, (3, 4)) for code in "f8 f4 i4 i2 u2 u1".split()}
    # SciPy multiplies the imaginary parts, which changes infinities and the signs of zeros.
    for code in ["c16", "c8"]:
        arrays[np.dtype(code).name] = (np.arange(1, 7) * (2 - 0.5j)).astype(code).reshape(2, 3)
    arrays["scalar"] = 0.25
    arrays["empty"] = np.zeros((0, 3))
    scipy.io.savemat(OUT / "matlab-4.mat", {**arrays, "word": "liver", "few": scipy.sparse.csc_array(np.eye(3))}, format="4")
    add("matlab-4.mat", *arrays)
    refuse("matlab-4.mat", "text", member="word")
    refuse("matlab-4.mat", "sparse", "full", member="few")
    data = b""
    for name, array, element in [("a", sample("f8", (2, 3)), 0), ("b", sample("i2", (1, 5)), 3)]:
        data += struct.pack(">5i", 1000 + 10 * element, *array.shape, 0, len(name) + 1)
        data += name.encode() + b"\0" + array.astype(array.dtype.newbyteorder(">")).tobytes(order="F")
    (OUT / "matlab-4-big-endian.mat").write_bytes(data)
    add("matlab-4-big-endian.mat", "a", "b")
    broken("matlab-4-cut.mat", data[:-1], "10 bytes, and 9 are there")
    broken("matlab-4-header.mat", data[:70] + b"\7" * 40, "no matrix")
    broken("matlab-4-name.mat", data[:16] + b"\7" * 40, "makes no sense")


def make_73():
    """Files of version 7.3: HDF5 after a block of MATLAB's, with the axes from the last to the first."""
    name = "matlab-7.3.mat"
    volume = sample("f4", (2, 3, 4))
    logical = np.array([[1, 0, 1], [0, 0, 1]], dtype="u1")
    pair = np.zeros((2, 3), dtype=[("real", "f8"), ("imag", "f8")])
    pair["real"], pair["imag"] = np.arange(6).reshape(2, 3), -np.arange(6).reshape(2, 3)
    with h5py.File(OUT / name, "w", userblock_size=512) as file:

        def save(path, array, kind, **more):
            file.create_dataset(path, data=np.transpose(array), **more)
            file[path].attrs["MATLAB_class"] = np.bytes_(kind)

        save("volume", volume, "single", chunks=(2, 3, 2), compression="gzip", shuffle=True)
        save("mask", logical, "logical")
        file["mask"].attrs["MATLAB_int_decode"] = np.int32(1)
        save("number", pair, "double")
        save("case/pred", volume[0].astype("f8"), "double")
        save("word", np.frombuffer("liver".encode("utf-16-le"), "u2").reshape(1, 5), "char")
        save("nothing", np.zeros((2, 1), "u8"), "double")
        file["nothing"].attrs["MATLAB_empty"] = np.uint8(1)
        file["cells"] = np.array([file["mask"].ref], dtype=h5py.ref_dtype)
        file["cells"].attrs["MATLAB_class"] = np.bytes_("cell")
        file["#refs#/a"] = np.arange(3.0)
    data = (OUT / name).read_bytes()
    text = b"MATLAB 7.3 MAT-file, made for a test".ljust(116) + bytes(8) + b"\0\2IM"
    (OUT / name).write_bytes(text + data[len(text) :])
    expect(name, volume, member="volume")
    expect(name, logical, member="mask")
    expect(name, pair["real"] + 1j * pair["imag"], member="number")
    expect(name, volume[0].astype("f8"), member="case/pred")
    refuse(name, "text", "MATLAB", member="word")
    refuse(name, "empty", member="nothing")
    refuse(name, "cell array", member="cells")
    refuse(name, "no array", member="#refs#/a")
    (OUT / "matlab-7.3-cut.mat").write_bytes((OUT / name).read_bytes()[:600])
    refuse("matlab-7.3-cut.mat", "cut short")


def make():
    version("scipy", "1.17.1")
    arrays = {}
    for code in "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8 c8 c16".split():
        arrays[np.dtype(code).name] = sample(code, (2, 3, 4))
    arrays["mask"] = np.eye(3, dtype=bool)
    arrays["scalar"] = 0.25
    arrays["row"] = np.arange(3.0)
    arrays["empty"] = np.zeros((0, 3))
    for compressed, label in [(False, "plain"), (True, "compressed")]:
        name = f"matlab-{label}.mat"
        scipy.io.savemat(OUT / name, arrays, do_compression=compressed)
        # Without the time of writing.
        data = (OUT / name).read_bytes()
        (OUT / name).write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + data[116:])
        add(name, *arrays)

    for order, label in [("<", "little"), (">", "big")]:
        name = f"matlab-{label}-endian.mat"
        handmade(
            name,
            order,
            [
                ("doubles_in_bytes", np.arange(6, dtype="u1").reshape(2, 3), 2, 6, 0),
                ("in_the_tag", np.array([[1, 2]], dtype="i2"), 3, 6, 0),
                ("logical", np.array([[1, 0, 1]], dtype="u1"), 2, 9, 0x200),
                ("shorts", sample("i2", (3, 2, 2)), 3, 10, 0),
            ],
        )
        add(name, "doubles_in_bytes", "in_the_tag", "logical", "shorts")

    others = {
        "info": {"a": 1},
        "cells": np.array([1, "x"], dtype=object),
        "word": "liver",
        "few": scipy.sparse.csc_array(np.eye(3)),
        "pred": np.eye(2),
    }
    scipy.io.savemat(OUT / "matlab-others.mat", others)
    data = (OUT / "matlab-others.mat").read_bytes()
    (OUT / "matlab-others.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + data[116:])
    add("matlab-others.mat", "pred")
    for member, word in [("info", "struct"), ("cells", "cell array"), ("word", "text"), ("few", "sparse")]:
        refuse("matlab-others.mat", word, "MATLAB", member=member)

    def broken(name, data, *words, member="float64"):
        (OUT / name).write_bytes(data)
        refuse(name, *words, member=member)

    make_4(broken)
    make_73()
    one = {"float64": np.arange(12.0).reshape(3, 4)}
    scipy.io.savemat(OUT / "matlab-one.mat", one)
    plain = b"MATLAB 5.0 MAT-file".ljust(116) + (OUT / "matlab-one.mat").read_bytes()[116:]
    (OUT / "matlab-one.mat").unlink()
    broken("matlab-cut.mat", plain[:-8], "should have", "are there")
    broken("matlab-shape.mat", plain.replace(struct.pack("<II", 3, 4), struct.pack("<II", 3, 5)), "120 bytes", "96")
    broken("matlab-axes.mat", plain.replace(struct.pack("<II", 5, 8), struct.pack("<II", 5, 0)), "shape")
    broken("matlab-type.mat", plain.replace(struct.pack("<II", 9, 96), struct.pack("<II", 8, 96)), "unknown")
    broken("matlab-order.mat", plain[:126] + b"XX" + plain[128:], "not a MATLAB file")
    packed = (OUT / "matlab-compressed.mat").read_bytes()
    broken("matlab-packed.mat", packed[:150] + b"\xff\xff" + packed[152:], "damaged", member="uint8")
