"""Real files, as the libraries that people use read them: python array_files.py FOLDER

Writes what is in every NIfTI image of nibabel's own test data, and in checkpoints that torch.save
makes here, as .npy files into FOLDER, and prints a list of them as JSON.
"""

import json
import pathlib
import sys
import warnings

import nibabel
import numpy as np
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
        torch.save(nested, path)
        for name, tensor in tensors.items():
            keep(path, tensor.numpy(), member=f"a/{name}")
        keep(path, nested["b"][0].numpy(), member="b/0")
        keep(path, nested["b"][1]["c"].numpy(), member="b/1/c")


warnings.simplefilter("ignore")
nifti()
checkpoints()
print(json.dumps(found))
