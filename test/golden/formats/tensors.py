"""Files of torch.save and of safetensors."""

import argparse
import collections
import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

from .common import OUT, expect, refuse, sample, version

TORCH_TYPES = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 bfloat16 float32 float64 complex64 complex128".split()


def tensor(dtype, shape):
    """Values at the edges of a dtype, by NumPy where it has it."""
    if dtype == "bfloat16":
        return torch.from_numpy(sample("f4", shape)).to(torch.bfloat16)
    return torch.from_numpy(sample(dtype, shape))


def values(t):
    """NumPy has no bfloat16, but float32 holds its values."""
    t = t.detach().resolve_conj()
    return (t.float() if t.dtype == torch.bfloat16 else t).numpy()


def float32(t):
    """float32 values with one pattern for what is not a number, whatever signs it has."""
    array = t.float().numpy()
    return np.where(np.isnan(array), np.float32(np.nan), array)


def add(file, t, member=None):
    name = str(t.dtype).removeprefix("torch.")
    expect(file, values(t), member=member, dtype=name)


def save(name, value, **options):
    torch.save(value, OUT / name, **options)


def repacked(name, source, changes=(), drop=(), extra=(), method=zipfile.ZIP_STORED):
    """A copy of an archive with other bytes in some members."""
    with zipfile.ZipFile(OUT / source) as old, zipfile.ZipFile(OUT / name, "w", method) as new:
        for info in old.infolist():
            data = old.read(info)
            for path, change in changes:
                if info.filename == path:
                    data = change(data)
            if info.filename not in drop:
                new.writestr(zipfile.ZipInfo(info.filename), data, method)
        for path, data in extra:
            new.writestr(zipfile.ZipInfo(path), data)


class Danger:
    def __reduce__(self):
        return os.system, ("echo this must not run",)


FLOAT8 = "e4m3fn e4m3fnuz e5m2 e5m2fnuz e8m0fnu".split()


def make_legacy(volume, everything):
    """The form from before version 1.6. It holds addresses in memory, which differ in every run."""
    old = {
        **everything,
        "volume": volume,
        "view": volume.permute(2, 0, 1)[1:, :, ::2],
        "float8": torch.tensor([0.5, -448.0]).to(torch.float8_e4m3fn),
        "conjugate": everything["complex64"].conj(),
    }
    for protocol in (2, 4):
        name = f"torch-legacy-{protocol}.pth"
        save(name, old, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
        for member, t in old.items():
            if member == "float8":
                expect(name, float32(t), member=member)
            else:
                add(name, t, member)
    save("torch-legacy-one.pt", volume, _use_new_zipfile_serialization=False)
    add("torch-legacy-one.pt", volume)
    data = (OUT / "torch-legacy-one.pt").read_bytes()
    (OUT / "torch-legacy.pt").write_bytes(data[:64])
    refuse("torch-legacy.pt", "ends in the middle")
    (OUT / "torch-legacy-cut.pt").write_bytes(data[:-1])
    refuse("torch-legacy-cut.pt", "96 bytes, and 95 are there")
    (OUT / "torch-legacy-keys.pt").write_bytes(data[: -len(data) + data.rindex(b"]")] + b"].")
    refuse("torch-legacy-keys.pt", "its storage", "not in the file")
    (OUT / "torch-pickle.pt").write_bytes(pickle.dumps({"pred": [1.0, 2.0]}))
    refuse("torch-pickle.pt", "a Python pickle, but not one of torch.save")


def make_torch():
    version("torch", "2.13.0")
    torch.manual_seed(0)
    everything = {dtype: tensor(dtype, (2, 3)) for dtype in TORCH_TYPES}
    save("torch-dtypes.pt", everything)
    for dtype, t in everything.items():
        add("torch-dtypes.pt", t, dtype)

    volume = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    save("torch-one.pt", volume)
    add("torch-one.pt", volume)
    parameter = torch.nn.Parameter(volume.permute(2, 0, 1)[1:, :, ::2])
    save("torch-parameter.pth", parameter)
    add("torch-parameter.pth", parameter)

    views = {
        "transposed": volume.permute(2, 0, 1),
        "offset": volume[1, 1:, 2:],
        "step": volume[:, :, ::3],
        "expanded": torch.tensor([1.5, 2.5]).reshape(2, 1).expand(2, 3),
        "scalar": torch.tensor(0.25),
        "of a scalar": volume[1, 2, 3],
        "empty": torch.zeros(2, 0, 3),
        "empty view": volume[:, 3:, :],
        "complex": torch.complex(volume, -volume)[:, 1].t(),
        "channels last": volume.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
    }
    save("torch-views.pt", views)
    for member, t in views.items():
        add("torch-views.pt", t, member)

    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    checkpoint = {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 7,
        "big": 2**70,
        "loss": 0.5,
        "name": "unet \u00e9",
        "none": None,
        "flags": (True, False),
        "size": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "history": [torch.ones(2), {"dice": torch.tensor([0.5])}],
        3: torch.tensor([3], dtype=torch.int64),
    }
    for protocol in (2, 4):
        name = f"torch-checkpoint-{protocol}.pth"
        save(name, checkpoint, pickle_protocol=protocol)
        for key, t in network.state_dict().items():
            add(name, t, f"model/{key}")
        add(name, optimizer.state_dict()["state"][0]["exp_avg"], "optimizer/state/0/exp_avg")
        add(name, checkpoint["history"][0], "history/0")
        add(name, checkpoint["history"][1]["dice"], "history/1/dice")
        add(name, checkpoint[3], "3")

    # Storages of the other byte order, as big-endian machines write them.
    def swap(data):
        return np.frombuffer(data, "<f4").astype(">f4").tobytes()

    repacked(
        "torch-big-endian.pt",
        "torch-one.pt",
        [("torch-one/byteorder", lambda _: b"big"), ("torch-one/data/0", swap)],
    )
    add("torch-big-endian.pt", volume)
    repacked("torch-deflated.pt", "torch-one.pt", method=zipfile.ZIP_DEFLATED)
    add("torch-deflated.pt", volume)

    make_legacy(volume, everything)
    save("torch-danger.pt", {"pred": volume, "x": Danger()})
    refuse("torch-danger.pt", "posix.system", "run any code", "torch.save")
    save("torch-module.pt", network)
    refuse("torch-module.pt", "torch.nn.modules")
    # Other objects beside tensors are left out.
    save("torch-namespace.pt", {"args": argparse.Namespace(lr=1), "pred": volume})
    add("torch-namespace.pt", volume, "pred")
    arrays = {
        "array": volume.numpy(),
        "mask": np.asfortranarray(volume.numpy() > 3),
        "swapped": np.arange(3, dtype=">i4"),
        "scalar": np.array(0.5),
        "empty": np.zeros((2, 0)),
    }
    others = {"words": np.array(["a"]), "objects": np.array([None])}
    for protocol in (2, 4, 5):
        name = f"torch-numpy-{protocol}.pt"
        value = {"pred": volume, "seed": np.int64(3), **arrays, **others}
        save(name, value, pickle_protocol=protocol)
        add(name, volume, "pred")
        for member, array in arrays.items():
            expect(name, array, member=member)
        refuse(name, "Unicode text", member="words")
        refuse(name, "Python objects", member="objects")
    save("torch-numpy.pt", volume.numpy()[0])
    expect("torch-numpy.pt", volume.numpy()[0])
    save("torch-lightning.ckpt", {"state_dict": network.state_dict(), "hyper_parameters": argparse.Namespace(lr=1)})
    add("torch-lightning.ckpt", network.state_dict()["0.bias"], "state_dict/0.bias")
    save("torch-old.pth.tar", {"pred": volume}, _use_new_zipfile_serialization=False)
    add("torch-old.pth.tar", volume, "pred")
    save("torch-counter.pt", {"x": collections.Counter("a"), "pred": volume})
    add("torch-counter.pt", volume, "pred")
    rows = collections.defaultdict(list, {"a": [volume[0]]})
    save("torch-containers.pt", {"rows": rows, "max": volume.max(dim=0), "set": {1, 2}})
    add("torch-containers.pt", volume[0], "rows/a/0")
    add("torch-containers.pt", volume.max(dim=0).values, "max/0")
    add("torch-containers.pt", volume.max(dim=0).indices, "max/1")

    number = torch.complex(volume, -volume)
    signs = {
        "conjugate": number.conj(),
        "imaginary": number.conj().imag,
        "negative": torch._neg_view(volume.permute(2, 0, 1)),
        # Without zeros, whose signs PyTorch leaves open: it takes a complex number from 0.
        "both": torch._neg_view(number[1].conj()),
        "double": torch._neg_view(torch.tensor([-0.0, 1.5], dtype=torch.float64)),
    }
    for member, t in signs.items():
        save(f"torch-{member}.pt", t)
        add(f"torch-{member}.pt", t.resolve_neg())
    save("torch-negative-int.pt", torch._neg_view(torch.arange(3)))
    refuse("torch-negative-int.pt", "negative of int64", "resolve_neg")
    patterns = torch.arange(256).to(torch.uint8)
    float8 = {name: patterns.view(getattr(torch, f"float8_{name}")) for name in FLOAT8}
    float8["columns"] = patterns.view(torch.float8_e5m2).reshape(16, 16)[:, 2:5]
    save("torch-float8.pt", float8)
    for member, t in float8.items():
        expect("torch-float8.pt", float32(t), member=member)
    repacked("torch-float8-deflated.pt", "torch-float8.pt", method=zipfile.ZIP_DEFLATED)
    expect("torch-float8-deflated.pt", float32(float8["e4m3fn"]), member="e4m3fn")

    parameter = torch.nn.Parameter(volume)
    parameter.note = "with an attribute"
    save("torch-attribute.pt", parameter)
    add("torch-attribute.pt", volume)
    others = {
        "sparse": (volume.to_sparse(), "a sparse tensor", "to_dense"),
        "rows": (volume[0].to_sparse_csr(), "a sparse tensor", "to_dense"),
        "quantized": (torch.quantize_per_tensor(volume, 0.1, 0, torch.quint8), "quantized", "dequantize"),
        "nested": (torch.nested.nested_tensor([volume[0], volume[1, :1]]), "nested", "unbind"),
        "meta": (volume.to("meta"), "has no elements"),
        "complex32": (torch.complex(volume, volume).to(torch.complex32), "torch.complex32"),
    }
    save("torch-others.pt", {"pred": volume, **{k: t for k, (t, *_) in others.items()}})
    add("torch-others.pt", volume, "pred")
    for member, (_, *words) in others.items():
        refuse("torch-others.pt", *words, member=member)
    save("torch-sparse.pt", volume.to_sparse())
    refuse("torch-sparse.pt", "a sparse tensor", "to_dense")
    save("torch-two.pt", {1: volume, "1": volume, "a": volume})
    refuse("torch-two.pt", "two tensors", member="1")
    refuse("torch-two.pt", "no array", "a", member="b")
    itself = [volume]
    itself.append(itself)
    save("torch-itself.pt", itself)
    refuse("torch-itself.pt", "nests")
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), script)
    (OUT / "torch-script.pt").write_bytes(script.getvalue())
    refuse("torch-script.pt", "TorchScript")
    repacked("torch-lost.pt", "torch-one.pt", drop=["torch-one/data/0"])
    refuse("torch-lost.pt", "storage", "not in the file")
    repacked("torch-short.pt", "torch-one.pt", [("torch-one/data/0", lambda data: data[:-4])])
    refuse("torch-short.pt", "element 23 of a storage of 23")
    repacked("torch-other.pt", "torch-one.pt", drop=["torch-one/data.pkl"])
    refuse("torch-other.pt", "no data.pkl")


def make_safetensors():
    version("safetensors", "0.8.0")
    names = [name for name in TORCH_TYPES if name != "complex128"]
    everything = {name: tensor(name, (2, 3)) for name in names}
    everything["scalar"] = torch.tensor(0.25)
    everything["empty"] = torch.zeros(0, 3)
    everything["a/b.c"] = torch.arange(4.0).reshape(2, 2)
    safetensors.torch.save_file(
        everything, OUT / "tensors.safetensors", metadata={"format": "pt"}
    )
    for member, t in everything.items():
        add("tensors.safetensors", t, member)
    safetensors.numpy.save_file({"mask": np.eye(3, dtype=bool)}, OUT / "one.safetensors")
    expect("one.safetensors", np.eye(3, dtype=bool), member="mask")

    patterns = torch.arange(256).to(torch.uint8)
    float8 = {name: patterns.clone().view(getattr(torch, f"float8_{name}")) for name in FLOAT8}
    safetensors.torch.save_file(float8, OUT / "float8.safetensors")
    for member, t in float8.items():
        expect("float8.safetensors", float32(t), member=member)
    edited_type = (OUT / "one.safetensors").read_bytes().replace(b'"BOOL"', b'"F4"  ')
    (OUT / "type.safetensors").write_bytes(edited_type)
    refuse("type.safetensors", "F4", "float32", member="mask")

    def edited(name, old, new, member="mask"):
        data = (OUT / "one.safetensors").read_bytes()
        assert old in data and len(old) == len(new)
        (OUT / name).write_bytes(data.replace(old, new))

    edited("shape.safetensors", b'"shape":[3,3]', b'"shape":[3,4]')
    refuse("shape.safetensors", "12 bytes", "gives it 9", member="mask")
    edited("negative.safetensors", b'"shape":[3,3]', b'"shape":[3-3]')
    refuse("negative.safetensors", "no JSON object", member="mask")
    edited("offset.safetensors", b'"data_offsets":[0,9]', b'"data_offsets":[1,9]')
    refuse("offset.safetensors", "gives it 8", member="mask")
    edited("field.safetensors", b'"dtype"', b'"dtipe"')
    refuse("field.safetensors", "does not give its dtype", member="mask")
    data = (OUT / "one.safetensors").read_bytes()
    (OUT / "cut.safetensors").write_bytes(data[:-1])
    refuse("cut.safetensors", "cut short", "9 bytes", "8 bytes", member="mask")
    (OUT / "length.safetensors").write_bytes(b"\xff" * 7 + b"\x7f" + data[8:])
    refuse("length.safetensors", "at most")
    (OUT / "other.safetensors").write_bytes(b"no tensors in this file")
    refuse("other.safetensors", "not a safetensors file")


def make():
    make_torch()
    make_safetensors()
