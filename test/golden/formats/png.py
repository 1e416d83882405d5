"""PNG images: by Pillow, and by a writer of the kinds that Pillow does not write."""

import struct
import zlib

import numpy as np
from PIL import Image

from .common import OUT, expect, refuse, version


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(line, above, step, kind):
    out = []
    for i, value in enumerate(line):
        a = line[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        out.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256)
    return bytes([kind, *out])


def packed_rows(samples, bits):
    """Rows of samples as bytes: several to a byte, or two bytes to a sample."""
    rows = samples.reshape(samples.shape[0], -1)
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    if bits == 8:
        return [row.astype("u1").tobytes() for row in rows]
    lines = []
    for row in rows:
        text = "".join(format(int(value), f"0{bits}b") for value in row)
        text += "0" * (-len(text) % 8)
        lines.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return lines


PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def write(name, samples, bits, colour, interlaced=False, palette=None, cut=None):
    """Every filter in turn, the image data in two chunks."""
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    step = max(1, channels * bits // 8)
    stream = b""
    for x, y, step_x, step_y in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::step_y, x::step_x]
        if part.size == 0:
            continue
        lines = packed_rows(part, bits)
        above = bytes(len(lines[0]))
        for row, line in enumerate(lines):
            stream += filtered(line, above, step, row % 5)
            above = line
    data = zlib.compress(stream)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"gAMA", struct.pack(">I", 45455))
    if palette is not None:
        out += chunk(b"PLTE", palette)
    out += chunk(b"IDAT", data[:7]) + chunk(b"IDAT", data[7:]) + chunk(b"IEND", b"")
    (OUT / name).write_bytes(out)


def add(name):
    expect(name, np.asarray(Image.open(OUT / name)))


def make():
    version("pillow", "13.0.0")
    rng = np.random.default_rng(0)
    mask = (np.add.outer(np.arange(5), np.arange(7)) % 3 == 0)
    labels = rng.integers(0, 4, (6, 9)).astype("u1")
    Image.fromarray(mask).save(OUT / "png-mask.png")
    add("png-mask.png")
    Image.fromarray(labels).save(OUT / "png-grey.png")
    add("png-grey.png")
    Image.fromarray(rng.integers(0, 65536, (4, 3)).astype("u2")).save(OUT / "png-grey16.png")
    add("png-grey16.png")
    indexed = Image.fromarray(labels)
    indexed = indexed.convert("P")
    indexed.putdata(labels.ravel().tolist())
    indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    indexed.save(OUT / "png-palette.png", bits=2, transparency=0)
    add("png-palette.png")
    for mode, channels in [("RGB", 3), ("RGBA", 4), ("LA", 2)]:
        name = f"png-{mode.lower()}.png"
        array = rng.integers(0, 256, (3, 4, channels)).astype("u1")
        Image.fromarray(array, mode if mode != "LA" else None).save(OUT / name)
        add(name)

    for interlaced in (False, True):
        label = "-interlaced" if interlaced else ""
        for bits in (1, 2, 4, 8, 16):
            samples = rng.integers(0, 2**bits, (11, 13))
            name = f"png-bits{bits}{label}.png"
            write(name, samples, bits, 0, interlaced)
            add(name)
            if bits < 16:
                name = f"png-palette-bits{bits}{label}.png"
                write(name, samples, bits, 3, interlaced, bytes(range(3)) * 2**bits)
                add(name)
        for colour, channels in [(2, 3), (4, 2), (6, 4)]:
            samples = rng.integers(0, 256, (5, 3, channels))
            name = f"png-colour{colour}{label}.png"
            write(name, samples, 8, colour, interlaced)
            add(name)
    # Fewer columns than the passes of an interlaced image are apart.
    write("png-narrow-interlaced.png", rng.integers(0, 256, (9, 1)), 8, 0, True)
    add("png-narrow-interlaced.png")
    # Pillow keeps eight of sixteen bits of a colour; here is what the file has.
    deep = rng.integers(0, 65536, (2, 3, 3)).astype("u2")
    write("png-rgb16.png", deep, 16, 2)
    expect("png-rgb16.png", deep)
    for interlaced in (False, True):
        label = "-interlaced" if interlaced else ""
        for colour, channels in [(2, 3), (4, 2), (6, 4)]:
            samples = rng.integers(0, 65536, (6, 5, channels)).astype("u2")
            name = f"png-colour{colour}-bits16{label}.png"
            write(name, samples, 16, colour, interlaced)
            # Of grey with transparency Pillow makes colours.
            shown = np.asarray(Image.open(OUT / name))
            assert (shown[..., [0, -1]] == samples[..., [0, -1]] >> 8).all()
            expect(name, samples)

    source = (OUT / "png-grey.png").read_bytes()

    def broken(name, data, *words):
        (OUT / name).write_bytes(data)
        refuse(name, *words)

    at = source.index(b"IDAT")
    broken("png-checksum.png", source[: at + 6] + b"\x55" + source[at + 7 :], "checksum", "IDAT")
    broken("png-cut.png", source[: at + 8], "middle of a chunk")
    broken("png-other.png", b"GIF89a" + source[6:], "not a PNG image")
    kinds = struct.pack(">IIBBBBB", 9, 6, 3, 0, 0, 0, 0)
    broken("png-kind.png", source[:8] + chunk(b"IHDR", kinds) + source[33:], "kind of pixels")
    large = struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0)
    broken("png-large.png", source[:8] + chunk(b"IHDR", large) + source[33:], "cannot hold")
    taller = struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 0)
    broken("png-taller.png", source[:8] + chunk(b"IHDR", taller) + source[33:], "less than")
    none = struct.pack(">IIBBBBB", 0, 7, 8, 0, 0, 0, 0)
    broken("png-none.png", source[:8] + chunk(b"IHDR", none) + source[33:], "no pixels")
    rows = zlib.compress(b"\x09" + bytes(9))
    one = struct.pack(">IIBBBBB", 9, 1, 8, 0, 0, 0, 0)
    broken(
        "png-filter.png",
        source[:8] + chunk(b"IHDR", one) + chunk(b"IDAT", rows) + chunk(b"IEND", b""),
        "unknown filter 9",
    )
