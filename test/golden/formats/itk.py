"""MetaImage files, by SimpleITK."""

import numpy as np
import SimpleITK as sitk

from .common import OUT, expect, refuse, sample, version


def affine_of(image):
    """The matrix from an index (x, y, z) to the point that ITK gives."""
    axes = image.GetDimension()
    rows = np.eye(4)
    spatial = min(axes, 3)
    direction = np.array(image.GetDirection()).reshape(axes, axes)
    rows[:spatial, :spatial] = (direction * np.array(image.GetSpacing()))[:spatial, :spatial]
    rows[:spatial, 3] = image.GetOrigin()[:spatial]
    return rows.tolist()


def add(name):
    image = sitk.ReadImage(str(OUT / name))
    axes = image.GetDimension()
    expect(
        name,
        sitk.GetArrayFromImage(image),
        affine=affine_of(image),
        axes=list(reversed(range(axes)))[:3],
        towards="LPS",
    )


def save(name, image, compressed=False):
    sitk.WriteImage(image, str(OUT / name), useCompression=compressed)


def edited(name, source, *changes):
    data = (OUT / source).read_bytes()
    for old, new in changes:
        assert old in data, (source, old)
        data = data.replace(old, new)
    (OUT / name).write_bytes(data)


def placed(image):
    image.SetSpacing((0.5, 1.25, 3.0))
    image.SetOrigin((-10, 20, 30.5))
    image.SetDirection((0, 0.6, 0.8, 1, 0, 0, 0, 0.8, -0.6))
    return image


def make():
    version("simpleitk", "2.5.7")
    for code in "i1 u1 i2 u2 i4 u4 i8 u8 f4 f8".split():
        image = placed(sitk.GetImageFromArray(sample(code, (2, 3, 4))))
        name = f"itk-{np.dtype(code).name}.mha"
        save(name, image)
        add(name)
    volume = placed(sitk.GetImageFromArray(sample("i2", (2, 3, 4))))
    save("itk-compressed.mha", volume, compressed=True)
    add("itk-compressed.mha")
    save("itk-pair.mhd", volume)
    add("itk-pair.mhd")
    save("itk-compressed-pair.mhd", volume, compressed=True)
    add("itk-compressed-pair.mhd")
    plane = sitk.GetImageFromArray(sample("f4", (3, 5)))
    plane.SetSpacing((2, 3))
    save("itk-plane.mha", plane)
    add("itk-plane.mha")
    save("itk-channels.mha", sitk.GetImageFromArray(sample("f4", (2, 2, 3, 2)), isVector=True))
    add("itk-channels.mha")
    save("itk-4d.mha", sitk.GetImageFromArray(sample("u1", (2, 3, 1, 4)), isVector=False))
    add("itk-4d.mha")

    # Big-endian elements, which SimpleITK reads but does not write.
    data = (OUT / "itk-int16.mha").read_bytes()
    start = data.index(b"LOCAL\n") + 6
    swapped = np.frombuffer(data[start:], "<i2").astype(">i2").tobytes()
    (OUT / "itk-big-endian.mha").write_bytes(
        data[:start].replace(b"ByteOrderMSB = False", b"ByteOrderMSB = True") + swapped
    )
    add("itk-big-endian.mha")
    # A raw file whose first bytes are something else, by two ways to say so.
    raw = (OUT / "itk-pair.raw").read_bytes()
    (OUT / "itk-offset.raw").write_bytes(b"HEADER" + raw)
    for label, skipped in [("six", b"6"), ("end", b"-1")]:
        name = f"itk-offset-{label}.mhd"
        edited(
            name,
            "itk-pair.mhd",
            (b"ElementDataFile = itk-pair.raw", b"HeaderSize = " + skipped + b"\nElementDataFile = itk-offset.raw"),
        )
        add(name)

    edited("itk-text.mha", "itk-uint8.mha", (b"BinaryData = True", b"BinaryData = False"))
    refuse("itk-text.mha", "as text", "sitk.WriteImage")
    edited("itk-type.mha", "itk-uint8.mha", (b"MET_UCHAR", b"MET_UCHAR_ARRAY"))
    refuse("itk-type.mha", "MET_UCHAR_ARRAY", "sitk.Cast")
    edited("itk-list.mhd", "itk-pair.mhd", (b"itk-pair.raw", b"LIST\na.raw\nb.raw"))
    refuse("itk-list.mhd", "several files")
    edited("itk-outside.mhd", "itk-pair.mhd", (b"itk-pair.raw", b"../files/itk-pair.raw"))
    refuse("itk-outside.mhd", "../files", "same folder")
    edited("itk-short.mhd", "itk-pair.mhd", (b"DimSize = 4 3 2", b"DimSize = 4 3 3"))
    refuse("itk-short.mhd", "itk-pair.raw", "cut short", "72 bytes", "48 bytes")
    edited("itk-axes.mha", "itk-uint8.mha", (b"DimSize = 4 3 2", b"DimSize = 4 3"))
    refuse("itk-axes.mha", "shape", "4 3")
    (OUT / "itk-cut.mha").write_bytes(data[:80])
    refuse("itk-cut.mha", "ElementDataFile")
    (OUT / "itk-compressed-cut.mha").write_bytes((OUT / "itk-compressed.mha").read_bytes()[:-9])
    refuse("itk-compressed-cut.mha", "cut short")
