"""Random masks with their distances, components, erosions and dilations, by real SciPy.

usage: morphology.py
Prints the cases as JSON.
"""

import json

import numpy as np
import scipy
from scipy import ndimage

SHAPES = [(1,), (9,), (40,), (1, 7), (6, 5), (17, 23), (3, 1, 4), (5, 6, 7), (2, 3, 4, 5)]

rng = np.random.default_rng(5)
cases = []
for shape in SHAPES:
    rank = len(shape)
    for share in (0.0, 0.3, 0.6, 0.9, 1.0):
        mask = rng.random(shape) < share
        sampling = rng.uniform(0.3, 3, rank).round(2).tolist()
        full = ndimage.generate_binary_structure(rank, rank)
        around = ndimage.generate_binary_structure(rank, 1)
        # No symmetry: erosion and dilation look in opposite directions.
        odd = rng.random((3,) * rank) < 0.5
        odd[(1,) * rank] = True
        labels = {name: ndimage.label(mask, s) for name, s in (("full", full), ("around", around))}
        shifted = [
            {
                "structure": structure.astype(int).ravel().tolist(),
                "times": times,
                "outside": outside,
                "eroded": ndimage.binary_erosion(
                    mask, structure, iterations=times, border_value=outside
                ).astype(int).ravel().tolist(),
                "dilated": ndimage.binary_dilation(
                    mask, structure, iterations=times, border_value=outside
                ).astype(int).ravel().tolist(),
            }
            for structure in (around, odd)
            for times in (1, 2, 0)
            for outside in (0, 1)
        ]
        cases.append(
            {
                "shape": shape,
                "mask": mask.astype(int).ravel().tolist(),
                "distances": ndimage.distance_transform_edt(mask).ravel().tolist(),
                "sampling": sampling,
                "sampled": ndimage.distance_transform_edt(mask, sampling=sampling).ravel().tolist(),
                "labels": {name: a.ravel().tolist() for name, (a, _) in labels.items()},
                "counts": {name: n for name, (_, n) in labels.items()},
                "shifted": shifted,
            }
        )
print(json.dumps({"scipy": scipy.__version__, "cases": cases}))
