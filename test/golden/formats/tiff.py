"""TIFF images, by tifffile (with imagecodecs) and by Pillow."""

import struct

import numpy as np
import tifffile
from PIL import Image

from .common import OUT, expect, refuse, sample, version


def add(name, array=None):
    read = tifffile.imread(OUT / name)
    if array is not None:
        assert read.dtype == array.dtype and np.array_equal(read, array, equal_nan=True), name
    expect(name, read)


def save(name, array, **options):
    tifffile.imwrite(OUT / name, array, software=False, **options)
    add(name, array)


def make():
    version("tifffile", "2026.3.3")
    version("imagecodecs", "2026.3.6")
    rng = np.random.default_rng(0)
    for code in "u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8".split():
        array = sample(code, (4, 5))
        name = f"tiff-{np.dtype(code).name}.tif"
        save(name, array)
        name = f"tiff-{np.dtype(code).name}-big-endian.tif"
        save(name, array, byteorder=">", compression="zlib", predictor=code[1] != "8" and code[0] != "f")
    save("tiff-mask.tif", rng.random((3, 11)) < 0.5, photometric="minisblack")
    save("tiff-mask-packbits.tif", rng.random((5, 13)) < 0.5, compression="packbits")
    labels = np.repeat(rng.integers(0, 4, (40, 5)), 8, axis=1).astype("u1")
    for compression in ["zlib", "lzw", "packbits"]:
        save(f"tiff-{compression}.tif", labels, compression=compression, rowsperstrip=7)
        save(f"tiff-{compression}-tiles.tiff", labels, compression=compression, tile=(16, 16))
    # Long enough that codes reach 12 bits and the table is cleared.
    save("tiff-lzw-long.tif", rng.integers(0, 8, (120, 130)).astype("u1"), compression="lzw")
    noise = rng.random((6, 9)).astype("f4")
    for code in ["f2", "f4", "f8"]:
        save(
            f"tiff-predictor3-{code}.tif",
            noise.astype(code),
            compression="zlib",
            predictor=3,
            byteorder="<" if code == "f4" else ">",
        )
    save("tiff-predictor2.tif", sample("i4", (6, 9)), compression="lzw", predictor=2)
    save("tiff-volume.tif", sample("i2", (3, 4, 5)), photometric="minisblack")
    save("tiff-volume-big.tif", sample("u2", (3, 4, 5)), bigtiff=True, compression="zlib")
    save("tiff-4d.tif", sample("f4", (2, 2, 3, 4)), photometric="minisblack")
    save("tiff-one-page.tif", sample("f4", (1, 3, 4)), photometric="minisblack")
    save("tiff-imagej.tif", sample("u2", (3, 4, 5)), imagej=True)
    colours = rng.integers(0, 256, (4, 20, 3)).astype("u1")
    save("tiff-rgb.tif", colours, photometric="rgb", compression="lzw", predictor=True)
    save("tiff-rgb-tiles.tif", colours, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)
    save("tiff-planar.tif", colours.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate")
    save("tiff-two-channels.tif", sample("f4", (3, 4, 2)), photometric="minisblack", planarconfig="contig")
    save("tiff-no-description.tif", sample("u1", (2, 3, 4)), photometric="minisblack", metadata=None)

    # A thumbnail beside the image.
    with tifffile.TiffWriter(OUT / "tiff-thumbnail.tif") as out:
        out.write(labels, metadata=None, software=False)
        out.write(labels[::4, ::4], subfiletype=1, metadata=None, software=False)
    expect("tiff-thumbnail.tif", labels)
    # Pages of different shapes.
    with tifffile.TiffWriter(OUT / "tiff-pages.tif") as out:
        out.write(labels[:3, :3], metadata=None, software=False)
        out.write(labels[:2, :5].astype("f4"), metadata=None, software=False)
    for page in (0, 1):
        expect("tiff-pages.tif", tifffile.imread(OUT / "tiff-pages.tif", key=page), member=str(page))
    refuse("tiff-pages.tif", "2 arrays", "tiff-pages.tif[0]")

    for mode, compression in [("1", "raw"), ("L", "tiff_lzw"), ("P", "packbits"), ("I", "tiff_adobe_deflate"), ("F", "tiff_deflate"), ("RGBA", "tiff_lzw")]:
        image = Image.fromarray(rng.integers(0, 256, (7, 21, 4)).astype("u1")).convert(mode)
        name = f"tiff-pillow-{mode.lower()}.tif"
        image.save(OUT / name, compression=compression)
        array = np.asarray(image)
        add(name)
        if mode != "P":
            assert np.array_equal(tifffile.imread(OUT / name), array), name
    first, second = (Image.fromarray(sample("u1", (3, 4), seed)) for seed in (0, 9))
    first.save(OUT / "tiff-pillow-pages.tif", save_all=True, append_images=[second])
    add("tiff-pillow-pages.tif", np.stack([np.asarray(first), np.asarray(second)]))

    def refused(name, array, *words, **options):
        tifffile.imwrite(OUT / name, array, software=False, **options)
        refuse(name, *words)

    refused("tiff-jpeg.tif", colours, "JPEG", "Deflate", photometric="rgb", compression="jpeg")
    refused("tiff-zstd.tif", labels, "Zstandard", compression="zstd")
    refused("tiff-complex.tif", sample("c8", (2, 3)), "64 bits", "format 6")
    refused("tiff-12-bits.tif", labels.astype("u2"), "12 bits", bitspersample=12)

    def edited(name, source, tag, value, *words, kind=None):
        """The file with the value of a tag in its first directory replaced."""
        data = bytearray((OUT / source).read_bytes())
        with tifffile.TiffFile(OUT / source) as tiff:
            entry = tiff.pages[0].tags[tag]
        offset = entry.offset
        kind = kind or {3: "<H", 4: "<I"}[struct.unpack_from("<H", data, offset + 2)[0]]
        struct.pack_into(kind, data, offset + 8, value)
        (OUT / name).write_bytes(data)
        refuse(name, *words)

    edited("tiff-large.tif", "tiff-uint8.tif", 256, 60000, "cannot hold")
    edited("tiff-rows.tif", "tiff-uint8.tif", 257, 5, "do not cover", kind="<H")
    edited("tiff-strip.tif", "tiff-uint8.tif", 279, 19, "19 bytes, not 20")
    edited("tiff-offset.tif", "tiff-uint8.tif", 273, 9999, "cut short")
    edited("tiff-predictor.tif", "tiff-predictor2.tif", 317, 4, "predictor 4")
    source = (OUT / "tiff-volume.tif").read_bytes()
    (OUT / "tiff-circle.tif").write_bytes(source)
    with tifffile.TiffFile(OUT / "tiff-volume.tif") as tiff:
        last = tiff.pages[2]
        at = last.offset + 2 + 12 * len(last.tags)
        first = tiff.pages[0].offset
    (OUT / "tiff-circle.tif").write_bytes(source[:at] + struct.pack("<I", first) + source[at + 4 :])
    refuse("tiff-circle.tif", "circle")
    (OUT / "tiff-cut.tif").write_bytes(source[:at])
    refuse("tiff-cut.tif", "cut short")
    (OUT / "tiff-other.tif").write_bytes(b"\x89PNG" + source[4:])
    refuse("tiff-other.tif", "PNG image")
