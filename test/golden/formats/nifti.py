"""NIfTI images, by nibabel."""

import gzip

import nibabel
import numpy as np

from .common import OUT, expect, refuse, sample, version

AFFINE = np.array([[-1.5, 0, 0.25, 10], [0, 2, 0, -20], [0.125, 0, 3, 5], [0, 0, 0, 1]])


def read(path):
    image = nibabel.load(path)
    array = np.asanyarray(image.dataobj)
    if array.dtype.kind != "c":
        assert np.array_equal(array.astype(float), image.get_fdata())
    return array, image.affine.tolist()


def save(name, array, change=None, order="<", kind=nibabel.Nifti1Image, affine=AFFINE):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(array.dtype)
    image = kind(array, affine, header=header)
    if change:
        change(image)
    nibabel.save(image, OUT / name)


def add(name):
    array, affine = read(OUT / name)
    expect(name, array, affine=affine)


def patched(name, source, *patches):
    """A copy of a file with some bytes of its header replaced."""
    data = bytearray((OUT / source).read_bytes())
    for offset, value in patches:
        data[offset : offset + len(value)] = value
    (OUT / name).write_bytes(data)


def make():
    version("nibabel", "5.4.2")
    shape = (2, 3, 4)
    for code in "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8 c8 c16".split():
        array = sample(code, shape)
        name = f"nifti1-{np.dtype(code).name}.nii"
        save(name, array)
        add(name)
    for kind, label in [(nibabel.Nifti1Image, "nifti1"), (nibabel.Nifti2Image, "nifti2")]:
        name = f"{label}-big-endian.nii.gz"
        save(name, sample(">i2", (3, 2, 2, 2)), order=">", kind=kind)
        add(name)

        def scale(image):
            image.header.set_slope_inter(0.1, -7)

        # nibabel picks integers such that the header's scaling gives the values back.
        for stored in ["i2", "u1", "f4"]:
            name = f"{label}-scaled-{stored}.nii"
            header = kind.header_class()
            header.set_data_dtype(stored)
            image = kind(np.linspace(-1, 1, 12).reshape(3, 2, 2), AFFINE, header)
            if stored == "f4":
                image.header.set_slope_inter(0.1, -7)
            nibabel.save(image, OUT / name)
            add(name)
    save("nifti2-int64.nii", sample("i8", (1, 5)), kind=nibabel.Nifti2Image)
    add("nifti2-int64.nii")

    mask = (np.arange(24).reshape(shape) % 5 == 0).astype(np.uint8)

    def qform(image):
        image.set_qform(
            np.array([[0, -2, 0, 1], [1.5, 0, 0, 2], [0, 0, -3, 3], [0, 0, 0, 1]]), code=1
        )
        image.set_sform(None, code=0)

    save("nifti1-qform.nii", mask, qform)
    add("nifti1-qform.nii")

    def no_form(image):
        image.header.set_zooms((1.5, 2, 3))
        image.set_qform(None, code=0)
        image.set_sform(None, code=0)

    save("nifti1-no-form.nii.gz", mask, no_form, affine=None)
    add("nifti1-no-form.nii.gz")

    # A header extension moves the elements.
    extended = nibabel.Nifti1Image(mask, AFFINE)
    extended.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"labels: 1 = liver"))
    nibabel.save(extended, OUT / "nifti1-extension.nii")
    add("nifti1-extension.nii")

    # The scaling is there but means nothing: slope 0, or not a number.
    for label, slope in [("zero", 0.0), ("nan", float("nan"))]:
        name = f"nifti1-slope-{label}.nii"
        patched(name, "nifti1-int16.nii", (112, np.array([slope, 3.0], "<f4").tobytes()))
        add(name)
    # Only shifted, and complex numbers scaled.
    for source, label in [("nifti1-int16", "shifted"), ("nifti1-complex64", "scaled-complex64")]:
        factor = 1.0 if label == "shifted" else -2.5
        name = f"nifti1-{label}.nii"
        patched(name, f"{source}.nii", (112, np.array([factor, 3.25], "<f4").tobytes()))
        array, affine = read(OUT / name)
        expect(name, array, affine=affine)

    # Two gzip members, as bgzip and pigz make them.
    data = (OUT / "nifti1-int16.nii").read_bytes()
    (OUT / "nifti1-members.nii.gz").write_bytes(
        gzip.compress(data[:100], mtime=0) + gzip.compress(data[100:], mtime=0)
    )
    add("nifti1-members.nii.gz")

    colours = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colours, AFFINE), OUT / "nifti1-rgb.nii")
    refuse("nifti1-rgb.nii", "colours", "RGB24")
    patched("nifti1-pair.nii", "nifti1-uint8.nii", (344, b"ni1\0"))
    refuse("nifti1-pair.nii", ".hdr", ".img", "nibabel")
    patched("nifti1-analyze.nii", "nifti1-uint8.nii", (344, b"\0\0\0\0"))
    refuse("nifti1-analyze.nii", "Analyze")
    patched("nifti1-bad-shift.nii", "nifti1-uint8.nii", (112, np.array([2, np.inf], "<f4").tobytes()))
    refuse("nifti1-bad-shift.nii", "scaled", "Infinity")
    patched("nifti1-float128.nii", "nifti1-uint8.nii", (70, np.array([1536], "<i2").tobytes()))
    refuse("nifti1-float128.nii", "128 bits")
    (OUT / "nifti1-cut.nii.gz").write_bytes((OUT / "nifti1-big-endian.nii.gz").read_bytes()[:-20])
    refuse("nifti1-cut.nii.gz", "damaged")
    (OUT / "nifti1-cut.nii").write_bytes(data[:-1])
    refuse("nifti1-cut.nii", "cut short", "48 bytes")

    pairs()


def pairs():
    """Images in two files, either of which may be named."""
    volume = sample("i2", (3, 2, 4))
    kinds = [
        ("nifti1", nibabel.Nifti1Pair),
        ("nifti2", nibabel.Nifti2Pair),
        ("analyze", nibabel.AnalyzeImage),
        ("spm99", nibabel.Spm99AnalyzeImage),
        ("spm2", nibabel.Spm2AnalyzeImage),
    ]
    for label, kind in kinds:
        for order, gz in [("<", ""), (">", ".gz")]:
            name = f"{label}-pair{'-be' if order == '>' else ''}"
            header = kind.header_class(endianness=order)
            header.set_data_dtype("i2")
            header.set_data_shape(volume.shape)
            header.set_zooms((1.5, 2, 3))
            array = volume
            if label.startswith("spm"):
                array = volume / 7
            image = kind(array, AFFINE if label.startswith("nifti") else None, header)
            if label == "spm99":
                image.header["origin"][:3] = (2, 1, 3)
            nibabel.save(image, OUT / f"{name}.img{gz}")
            mat = OUT / f"{name}.mat"
            mat.unlink(missing_ok=True)
            for half in ["hdr", "img"]:
                add(f"{name}.{half}{gz}")
    # Scaled by two ranges, and an origin far outside.
    patched(
        "analyze-ranges.hdr",
        "analyze-pair.hdr",
        (124, np.array([0.75, -0.25], "<f4").tobytes()),
        (140, np.array([200, -100], "<i4").tobytes()),
        (253, np.array([1000, 1, 1], "<i2").tobytes()),
    )
    (OUT / "analyze-ranges.img").write_bytes((OUT / "analyze-pair.img").read_bytes())
    add("analyze-ranges.hdr")
    # The header packed and the elements not.
    packed = gzip.compress((OUT / "nifti1-pair.hdr").read_bytes(), mtime=0)
    (OUT / "nifti1-mixed.hdr.gz").write_bytes(packed)
    (OUT / "nifti1-mixed.img").write_bytes((OUT / "nifti1-pair.img").read_bytes())
    array, affine = read(OUT / "nifti1-pair.img")
    expect("nifti1-mixed.img", array, affine=affine)
    expect("nifti1-mixed.hdr.gz", array, affine=affine)
    (OUT / "nifti1-alone.img").write_bytes(b"1234")
    refuse("nifti1-alone.img", "one half", "nifti1-alone.hdr", "not beside it")
    (OUT / "nifti1-cut-pair.hdr").write_bytes((OUT / "nifti1-pair.hdr").read_bytes())
    (OUT / "nifti1-cut-pair.img").write_bytes((OUT / "nifti1-pair.img").read_bytes()[:-1])
    refuse("nifti1-cut-pair.hdr", "cut short")
    (OUT / "nifti1-other.hdr").write_bytes(b"#?RADIANCE" * 100)
    (OUT / "nifti1-other.img").write_bytes(b"")
    refuse("nifti1-other.hdr", "not a NIfTI image")
