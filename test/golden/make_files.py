"""Writes test/golden/files: small files that the libraries people use have saved, and what those
libraries read back from them.

Run with the versions named in VERSIONS, from anywhere:

    python3 -m venv VENV
    VENV/bin/pip install numpy==2.4.6 imagecodecs==2026.3.6 nibabel==5.4.2 SimpleITK==2.5.7 pynrrd==1.1.3 \
        safetensors==0.8.0 torch==2.13.0 pillow==13.0.0 tifffile==2026.3.3 scipy==1.17.1 h5py==3.16.0
    VENV/bin/python test/golden/make_files.py

Every format's files are made by a module of their own in test/golden/formats. Values are written as
text that reads back exactly, as in make_npy.py.
"""

import importlib
import json
import pathlib
import sys

from formats import common

HERE = pathlib.Path(__file__).parent
FORMATS = sorted(
    path.stem for path in (HERE / "formats").glob("*.py") if path.stem not in ("common", "__init__")
)

for name in FORMATS:
    importlib.import_module(f"formats.{name}").make()

lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in common.files)
refused = json.dumps(common.refused, indent=0, ensure_ascii=True)
versions = json.dumps(common.versions, ensure_ascii=True)
(common.OUT / "expected.json").write_text(
    f'{{"versions": {versions},\n"files": [\n{lines}\n],\n"refused": {refused}}}\n'
)
print(sum(path.stat().st_size for path in common.OUT.iterdir()), "bytes", file=sys.stderr)
