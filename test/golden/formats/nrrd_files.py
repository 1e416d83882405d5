"""NRRD files, by pynrrd."""

import re

import nrrd
import numpy as np

from .common import OUT, expect, refuse, sample, version


def add(name, **extra):
    array, _ = nrrd.read(str(OUT / name))
    expect(name, array, **extra)


def save(name, array, **header):
    nrrd.write(str(OUT / name), array, {"encoding": "raw", **header})
    # Without the comment that says when it was written.
    data = (OUT / name).read_bytes()
    (OUT / name).write_bytes(re.sub(rb"# on .*\n", b"", data, count=1))


def edited(name, source, *changes):
    data = (OUT / source).read_bytes()
    for old, new in changes:
        assert old in data, (source, old)
        data = data.replace(old, new, 1)
    (OUT / name).write_bytes(data)


def make():
    version("pynrrd", "1.1.3")
    shape = (2, 3, 4)
    for code in "i1 u1 i2 u2 i4 u4 i8 u8 f4 f8".split():
        name = f"nrrd-{np.dtype(code).name}.nrrd"
        save(name, sample(code, shape))
        add(name)
    for encoding in ["gzip", "ascii"]:
        for code in ["i2", "u4", "f4", "f8"]:
            name = f"nrrd-{encoding}-{np.dtype(code).name}.nrrd"
            array = sample(code, (3, 2, 2))
            if encoding == "ascii" and code[0] == "f":
                array = array.ravel()[4:].astype(code)
            save(name, array, encoding=encoding)
            add(name)
    volume = sample("i2", shape)
    # pynrrd writes little-endian only.
    save("nrrd-order.nrrd", volume.astype("<i2"))
    edited("nrrd-big-endian.nrrd", "nrrd-order.nrrd", (b"endian: little", b"endian: big"))
    add("nrrd-big-endian.nrrd")
    (OUT / "nrrd-order.nrrd").unlink()

    directions = np.array([[0, 1.5, 0], [-2, 0, 0], [0.1, 0, 3]])
    place = {"space directions": directions, "space origin": np.array([1.0, -2.0, 3.5])}
    affine = np.eye(4)
    affine[:3, :3] = directions.T
    affine[:3, 3] = place["space origin"]
    for space, towards in [
        ("left-posterior-superior", "LPS"),
        ("right-anterior-superior", "RAS"),
        ("left-anterior-superior", "LPS"),
    ]:
        name = f"nrrd-{space}.nrrd"
        save(name, volume, space=space, kinds=["domain"] * 3, **place)
        flip = np.diag([1, -1 if space == "left-anterior-superior" else 1, 1, 1])
        add(name, affine=(flip @ affine).tolist(), axes=[0, 1, 2], towards=towards)
    # A segmentation of layers, as 3D Slicer saves them: its first axis is not in space.
    save(
        "nrrd-layers.seg.nrrd",
        sample("u1", (2, 2, 3, 1)),
        encoding="gzip",
        space="left-posterior-superior",
        kinds=["list", "domain", "domain", "domain"],
        **{
            **place,
            "space directions": np.vstack([np.full(3, np.nan), directions]),
            "Segment0_Name": "liver: left = right",
        },
    )
    add("nrrd-layers.seg.nrrd", affine=affine.tolist(), axes=[1, 2, 3], towards="LPS")

    source = "nrrd-int16.nrrd"
    edited("nrrd-skip.nrrd", source, (b"\n\n", b"\nbyte skip: 3\n\nxyz"))
    add("nrrd-skip.nrrd")
    edited("nrrd-skip-end.nrrd", source, (b"\n\n", b"\nbyte skip: -1\n\nanything"))
    add("nrrd-skip-end.nrrd")
    text, _, elements = (OUT / "nrrd-uint8.nrrd").read_bytes().partition(b"\n\n")
    (OUT / "nrrd-crlf.nrrd").write_bytes(text.replace(b"\n", b"\r\n") + b"\r\n\r\n" + elements)
    expect("nrrd-crlf.nrrd", nrrd.read(str(OUT / "nrrd-uint8.nrrd"))[0])

    edited("nrrd-detached.nrrd", source, (b"\n\n", b"\ndata file: other.raw\n\n"))
    refuse("nrrd-detached.nrrd", "other.raw", "nrrd.write")
    edited("nrrd-hex.nrrd", source, (b"encoding: raw", b"encoding: hex"))
    refuse("nrrd-hex.nrrd", "hex", "gzip")
    edited("nrrd-block.nrrd", source, (b"type: int16", b"type: block"))
    refuse("nrrd-block.nrrd", "block")
    edited("nrrd-no-endian.nrrd", source, (b"endian: little\n", b""))
    refuse("nrrd-no-endian.nrrd", "order of an element's bytes")
    edited("nrrd-sizes.nrrd", source, (b"sizes: 2 3 4", b"sizes: 2 3 -4"))
    refuse("nrrd-sizes.nrrd", "2 3 -4")
    edited("nrrd-long.nrrd", source, (b"sizes: 2 3 4", b"sizes: 2 3 5"))
    refuse("nrrd-long.nrrd", "cut short", "60 bytes", "48 bytes")
    edited("nrrd-word.nrrd", "nrrd-ascii-int16.nrrd", (b"32767", b"32768"))
    refuse("nrrd-word.nrrd", "32768", "int16")
    edited("nrrd-few.nrrd", "nrrd-ascii-int16.nrrd", (b"sizes: 3 2 2", b"sizes: 3 5 1"))
    refuse("nrrd-few.nrrd", "12 elements, not 15")
    edited("nrrd-huge.nrrd", "nrrd-ascii-int16.nrrd", (b"sizes: 3 2 2", b"sizes: 99 999 999"))
    refuse("nrrd-huge.nrrd", "cannot hold")
