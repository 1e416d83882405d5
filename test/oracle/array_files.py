"""Real files, as the libraries that people use read them: python array_files.py FOLDER

Writes what is in every NIfTI image of nibabel's own test data, in TIFF images of microscopes and
checkpoints that are made here, and in HDF5 files of the newest form, as .npy files into FOLDER, and prints a list of them as JSON.
"""

import json
import pathlib
import sys
import warnings

import h5py
import monai
import nibabel
import numpy as np
import tifffile
import torch

folder = pathlib.Path(sys.argv[1])
found = []


def keep(path, array, **more):
    name = f"{len(found)}.npy"
    np.save(folder / name, np.ascontiguousarray(array).reshape(array.shape))
    found.append({"path": str(path), "array": name, **more})


def nifti():
    data = pathlib.Path(nibabel.__file__).parent / "tests" / "data"
    for path in sorted([*data.glob("*.nii"), *data.glob("*.nii.gz")]):
        image = nibabel.load(path)
        if isinstance(image, nibabel.Cifti2Image):
            # A matrix kept in an image's form; nibabel drops its first axes, of length 1.
            image = nibabel.Nifti2Image.from_filename(path)
        array = np.asanyarray(image.dataobj)
        assert np.array_equal(array, image.get_fdata(), equal_nan=True)
        keep(path, array, affine=image.affine.tolist())


def checkpoints():
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    dtypes = [torch.float32, torch.float64, torch.float16, torch.int64, torch.int16, torch.uint8]
    for number in range(40):
        tensors = {}
        for i in range(8):
            shape = generator.integers(1, 7, size=generator.integers(1, 6)).tolist()
            base = torch.randn(shape) * 100
            view = base.to(dtypes[i % len(dtypes)])
            view = view.permute(*generator.permutation(len(shape)).tolist())
            for axis in range(view.dim()):
                start = int(generator.integers(0, view.shape[axis]))
                step = int(generator.integers(1, 4))
                view = view.narrow(axis, start, view.shape[axis] - start)
                view = view.unfold(axis, 1, step).squeeze(-1)
            if i % 3 == 0:
                view = view.unsqueeze(0).expand(3, *view.shape)
            tensors[f"t{i}"] = view
        path = folder / f"checkpoint{number}.pt"
        # Some share storages, and lie deeper than others.
        nested = {"a": tensors, "b": [tensors["t0"], {"c": tensors["t1"][..., :1]}]}
        # Every other one in the form from before version 1.6.
        torch.save(nested, path, _use_new_zipfile_serialization=number % 2 == 0)
        for name, tensor in tensors.items():
            keep(path, tensor.numpy(), member=f"a/{name}")
        keep(path, nested["b"][0].numpy(), member="b/0")
        keep(path, nested["b"][1]["c"].numpy(), member="b/1/c")


class Labelled(torch.Tensor):
    """A subclass of the user's own."""


def subclasses():
    """Tensors that are saved with what stands beside them: MONAI's images, parameters, state dicts."""
    generator = torch.Generator().manual_seed(0)
    volume = torch.rand((2, 3, 4, 5), generator=generator)
    affine = torch.diag(torch.tensor([2.0, 2.0, 3.0, 1.0]))
    meta = {"filename_or_obj": "case.nii", "spatial_shape": np.array([3, 4, 5]), "pixdim": np.ones(8)}
    image = monai.data.MetaTensor(volume, affine=affine, meta=meta)
    image = monai.transforms.Flip(spatial_axis=0)(image)
    parameter = torch.nn.Parameter(volume[0])
    parameter.weight_decay = 0.1
    network = monai.networks.nets.UNet(2, 1, 2, (2, 4), (2,), norm="batch")
    ema = torch.optim.swa_utils.AveragedModel(network)
    values = {
        "image": image,
        "batch": monai.data.list_data_collate([{"pred": image}, {"pred": image}]),
        "labelled": volume.as_subclass(Labelled)[:, 1],
        "parameter": parameter,
        "model": network.state_dict(),
        "ema": ema.state_dict(),
        "buffer": torch.nn.Buffer(volume[1]),
        "numbers": np.arange(3),
        "conjugate": torch.complex(volume, volume).conj(),
        "imaginary": torch.complex(volume, volume).conj().imag,
    }
    for form, path in enumerate([folder / "subclasses.pt", folder / "subclasses.pth"]):
        torch.save(values, path, _use_new_zipfile_serialization=form == 0)
        # What PyTorch itself reads back.
        loaded = torch.load(path, weights_only=False)
        for name in ["image", "labelled", "parameter", "buffer", "conjugate", "imaginary", "numbers"]:
            keep(path, plain(loaded[name]), member=name)
        keep(path, plain(loaded["batch"]["pred"]), member="batch/pred")
        for part in ["model", "ema"]:
            for name, tensor in loaded[part].items():
                keep(path, plain(tensor), member=f"{part}/{name}")


def plain(tensor):
    if isinstance(tensor, np.ndarray):
        return tensor
    return tensor.detach().as_subclass(torch.Tensor).resolve_conj().resolve_neg().numpy()


def newest_hdf5():
    """Every way in which chunks are found, with as many chunks as each of its forms needs."""
    generator = np.random.default_rng(0)
    packed = {"compression": "gzip", "shuffle": True}
    datasets = {
        # Lengths that are fixed: an array, in pages from 1,025 chunks on.
        "fixed": ((10, 12), (3, 5), None, {}),
        "fixed_limits": ((10, 12), (3, 5), (20, 40), packed),
        "fixed_pages": ((3000,), (2,), None, {}),
        "fixed_pages_packed": ((2500, 3), (1, 2), None, packed),
        "fixed_partly": ((5000,), (2,), None, {"fillvalue": 7}),
        # One that is open: an array whose blocks double, in pages from 65,000 chunks on.
        "open_first": ((40,), (8,), (None,), {}),
        "open_middle": ((5, 33, 4), (2, 3, 3), (5, None, 6), {}),
        "open_last": ((6, 50), (4, 1), (6, None), packed),
        "open_blocks": ((60_000,), (2,), (None,), {}),
        "open_pages": ((300_000,), (1,), (None,), {}),
        "open_partly": ((200_000,), (1,), (None,), {"fillvalue": 3}),
        # Several: a tree.
        "tree": ((40, 30), (7, 7), (None, None), {}),
        "tree_deep": ((300, 200), (2, 2), (None, None), {}),
        "tree_packed": ((300, 100), (2, 2), (None, None), packed),
        "tree_partly": ((20, 30, 10), (3, 4, 2), (None, 30, None), {"fillvalue": -1}),
        "one": ((5, 6), (5, 6), None, packed),
    }
    path = folder / "chunks.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for name, (shape, chunks, limits, more) in datasets.items():
            made = file.create_dataset(
                name, shape, "i4", chunks=chunks, maxshape=limits, **more
            )
            some = tuple(slice(n // 3, n // 2) for n in shape) if "partly" in name else ...
            made[some] = generator.integers(0, 1000, size=shape)[some]
        form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        form.set_chunk((3, 4))
        form.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple((10, 11))
        made = h5py.h5d.create(file.id, b"in_order", h5py.h5t.NATIVE_INT32, space, form)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, generator.integers(0, 99, (10, 11), dtype="i4"))
        # Groups with many members keep them in a heap.
        for i in range(700):
            file[f"many/case_{i:04}_{'x' * (i % 37)}"] = np.full(i % 4 + 1, i)
    with h5py.File(path) as file:
        for name in [*datasets, "in_order", *(f"many/{n}" for n in list(file["many"])[::50])]:
            keep(path, file[name][()], member=name)


def hdf5_bits():
    """Integers and numbers of which HDF5 keeps only some bits, and checksums of extreme values."""
    generator = np.random.default_rng(1)
    path = folder / "bits.h5"
    with h5py.File(path, "w") as file:
        names = []

        def add(name, array, **more):
            file.create_dataset(name, data=array, **more)
            names.append(name)

        for code in "i1 u1 i2 u2 i4 u4 i8 u8".split():
            info = np.iinfo(code)
            for order in "<>":
                for bits in [0, 1, 3, 7, info.bits // 2, info.bits - 2, info.bits]:
                    low = int(generator.integers(info.min, info.max - 2**bits + 2, dtype=code)) if bits < info.bits else info.min
                    span = min(low + 2**bits - 1, info.max)
                    array = generator.integers(low, span, size=(6, 7), dtype=code, endpoint=True)
                    name = f"{order.replace('<', 'le').replace('>', 'be')}-{code}-{bits}"
                    chosen = {"fillvalue": array[0, 0]} if bits % 2 else {}
                    array = array.astype(np.dtype(code).newbyteorder(order))
                    if bits < info.bits:
                        # Some versions of HDF5 cannot read what they wrote of the whole range.
                        add(name, array, chunks=(4, 4), scaleoffset=0, **chosen)
                    add(name + "-fixed", array, chunks=(4, 4), scaleoffset=max(1, bits), compression="gzip")
        for code in ["f4", "f8", ">f4", ">f8"]:
            for digits in [0, 1, 3, 5]:
                array = (generator.standard_normal((9, 10)) * 1000).astype(code)
                name = f"{code}-{digits}".replace(">", "be-")
                add(name, array, chunks=(4, 4), scaleoffset=digits, compression="lzf")
                array = np.where(array < 0, 7.0, array).astype(code)
                add(name + "-fill", array, chunks=(4, 4), scaleoffset=digits, compression="gzip", fillvalue=7)
        for i in range(60):
            width = int(generator.choice([1, 2, 4, 8]))
            # HDF5 makes no type that would do with half of its bytes.
            least = 1 if width == 1 else 4 * width + 1
            precision = int(generator.integers(least, 8 * width + 1))
            offset = int(generator.integers(0, 8 * width - precision + 1))
            sign, order = generator.choice(["I", "U"]), generator.choice(["LE", "BE"])
            # HDF5 itself loses the signs of single bytes that are marked as big-endian.
            order = "LE" if width == 1 else order
            kind = getattr(h5py.h5t, f"STD_{sign}{8 * width}{order}").copy()
            kind.set_precision(precision)
            kind.set_offset(offset)
            form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            if i % 3:
                form.set_chunk((3, 4))
            if i % 3 == 1:
                form.set_filter(h5py.h5z.FILTER_NBIT)
            space = h5py.h5s.create_simple((7, 6))
            made = h5py.h5d.create(file.id, f"nbit{i}".encode(), kind, space, form)
            some = np.dtype(f"{sign.lower()}{width}")
            low = -(2 ** (precision - 1)) if sign == "I" else 0
            array = generator.integers(low, low + 2**precision - 1, size=(7, 6), dtype=some, endpoint=True)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
            names.append(f"nbit{i}")
        # Sums of 16-bit words that are multiples of 65,535, which stand for 0 but are not written so.
        for value in [0, 1, 127, 128, 254, 255]:
            for size in [1, 2, 255, 256, 257, 65_535]:
                add(f"sum-{value}-{size}", np.full(size, value, "u1"), chunks=(size,), fletcher32=True)
    with h5py.File(path) as file:
        for name in names:
            keep(path, file[name][()], member=name)


def microscopes():
    """Volumes, channels and times as ImageJ and OME-TIFF note them."""
    generator = np.random.default_rng(0)
    makes = [
        ({"imagej": True}, "TZCYX", (2, 3, 2, 5, 6)),
        ({"imagej": True}, "TYX", (4, 5, 6)),
        ({"imagej": True}, "ZCYX", (4, 1, 5, 6)),
        ({"ome": True}, "TCZYX", (2, 3, 4, 5, 6)),
        ({"ome": True}, "CZYX", (3, 1, 5, 6)),
        ({"ome": True}, "TCYX", (1, 1, 5, 6)),
        ({"ome": True, "photometric": "rgb"}, "TZYXS", (2, 4, 5, 6, 3)),
    ]
    for number, (form, axes, shape) in enumerate(makes):
        path = folder / f"microscope{number}.tif"
        array = generator.integers(0, 255, size=shape).astype("u1")
        tifffile.imwrite(path, array, metadata={"axes": axes}, **form)
        keep(path, tifffile.imread(path))


warnings.simplefilter("ignore")
microscopes()
nifti()
checkpoints()
subclasses()
newest_hdf5()
hdf5_bits()
print(json.dumps(found))
