"""HDF5 files, by h5py."""

import h5py
import numpy as np

from .common import OUT, expect, refuse, sample, version


def add(name, *members):
    with h5py.File(OUT / name) as file:
        for member in members:
            expect(name, file[member][()], member=member)


def make():
    version("h5py", "3.16.0")
    with h5py.File(OUT / "hdf5-dtypes.h5", "w") as file:
        names = []
        for code in "? i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16".split():
            # Both orders of a few, and the machine's own of all.
            for order in "<>" if code in ("i2", "u8", "f4", "c8") else "<":
                dtype = np.dtype(code).newbyteorder(order)
                member = f"{np.dtype(code).name}{order.replace('<', '-le').replace('>', '-be')}"
                file[member] = sample(code, (2, 3)).astype(dtype)
                names.append(member)
    add("hdf5-dtypes.h5", *names)

    volume = sample("i2", (5, 7, 6))
    mask = volume % 3 == 0
    noise = np.random.default_rng(0).random((9, 10)).astype("f4")
    with h5py.File(OUT / "hdf5-chunks.h5", "w") as file:
        file.create_dataset("gzip", data=volume, chunks=(2, 3, 4), compression="gzip")
        file.create_dataset("shuffle", data=volume, chunks=(2, 3, 4), compression="gzip", shuffle=True)
        file.create_dataset("lzf", data=mask, chunks=(5, 2, 6), compression="lzf")
        file.create_dataset("noise", data=noise, chunks=(4, 4), compression="lzf", shuffle=True)
        file.create_dataset("checked", data=noise, chunks=(4, 10), fletcher32=True, compression="gzip")
        file.create_dataset("odd", data=mask[:, :3, :3], chunks=(1, 3, 3), fletcher32=True)
        file.create_dataset("plain", data=noise, chunks=(9, 1))
        file.create_dataset("deep/er/mask", data=mask)
        file.create_dataset("scalar", data=0.25)
        file.create_dataset("empty", data=np.zeros((0, 3)))
        file.create_dataset("unwritten", (3, 4), dtype="f4", fillvalue=0.5)
        partly = file.create_dataset("partly", (6, 5), dtype="i4", chunks=(2, 5), fillvalue=-7)
        partly[2:4] = np.arange(10).reshape(2, 5)
        grown = file.create_dataset("shrunk", data=volume[0], chunks=(2, 2), maxshape=(None, None))
        grown.resize((3, 5))
        file["link"] = h5py.SoftLink("/scalar")
        file["again"] = file["plain"]
        file["loop"] = file["/"]
    add(
        "hdf5-chunks.h5",
        "gzip", "shuffle", "lzf", "noise", "checked", "odd", "deep/er/mask", "scalar", "empty",
        "unwritten", "partly", "shrunk",
    )
    # Of two names of one dataset the first, in the order of names, is its member.
    expect("hdf5-chunks.h5", noise, member="again")
    refuse("hdf5-chunks.h5", "no array", member="link")

    # Element types that are saved under a name of their own.
    for libver in ["earliest", "latest"]:
        name = f"hdf5-named-{libver}.h5"
        with h5py.File(OUT / name, "w", libver=libver) as file:
            file["types/prediction"] = np.dtype("f4")
            file["types/number"] = np.dtype("c8")
            file.create_dataset("pred", data=noise, dtype=file["types/prediction"])
            file.create_dataset("again", data=noise[:2], dtype=file["types/prediction"], chunks=(1, 5))
            file.create_dataset("number", data=sample("c8", (3,)), dtype=file["types/number"])
        add(name, "pred", "again", "number")

    # Fewer bits than the elements have, and a mask of which a checksum's sums are multiples of 65,535.
    with h5py.File(OUT / "hdf5-bits.h5", "w") as file:
        packed = {"chunks": (2, 3, 4), "scaleoffset": 0}
        file.create_dataset("integers", data=volume % 1000 - 300, **packed)
        file.create_dataset("mask", data=mask.astype("u1"), **packed)
        file.create_dataset("all bits", data=volume, compression="gzip", **packed)
        file.create_dataset("filled", data=np.maximum(volume, 0), fillvalue=0, **packed)
        file.create_dataset("wide", data=volume.astype(">i8") * 10**12, **packed)
        file.create_dataset("digits", data=noise, chunks=(4, 4), scaleoffset=3)
        file.create_dataset("digits64", data=noise.astype("f8"), chunks=(4, 4), scaleoffset=5, shuffle=True)
        file.create_dataset("ones", data=np.full((4, 6), 255, "u1"), chunks=(4, 6), fletcher32=True)
        form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        form.set_chunk((2, 3, 4))
        form.set_filter(5)
        plain = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        kinds = [(h5py.h5t.STD_I16LE, 12, 3), (h5py.h5t.STD_U32BE, 17, 9), (h5py.h5t.STD_I64LE, 40, 1)]
        for kind, precision, offset in kinds:
            kind = kind.copy()
            kind.set_precision(precision)
            kind.set_offset(offset)
            for name, way in [("nbit", form), ("loose", plain)]:
                space = h5py.h5s.create_simple(volume.shape)
                made = h5py.h5d.create(file.id, f"{name}{precision}".encode(), kind, space, way)
                made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(volume % 4000 - 2000))
        every = list(file)
    add("hdf5-bits.h5", *every)

    # More members than one node of the tree holds, and more chunks.
    with h5py.File(OUT / "hdf5-many.hdf5", "w") as file:
        for i in range(10):
            file[f"x{i:02}"] = np.uint8(i)
        file.create_dataset("chunks", data=np.arange(70, dtype="u1"), chunks=(1,))
    add("hdf5-many.hdf5", "x00", "x05", "x09", "chunks")
    # A block of the user's own before the file.
    with h5py.File(OUT / "hdf5-userblock.h5", "w", userblock_size=1024) as file:
        file.create_dataset("mask", data=mask, chunks=True, compression="gzip")
    add("hdf5-userblock.h5", "mask")
    # Newer forms: few links in a group's header, contiguous or one chunk for all.
    for libver in ["v108", "latest"]:
        name = f"hdf5-{libver}.h5"
        with h5py.File(OUT / name, "w", libver=(libver, libver)) as file:
            file["plain"] = volume
            file["flag"] = mask[0, 0]
            file["c"] = sample("c8", (3,))
            file.create_dataset("group/one", data=noise, chunks=noise.shape, compression="gzip")
            if libver == "v108":
                file.create_dataset("chunks", data=volume, chunks=(2, 3, 4), compression="gzip")
        add(name, "plain", "flag", "c", "group/one")
        if libver == "v108":
            add(name, "chunks")

    with h5py.File(OUT / "hdf5-refused.h5", "w") as file:
        file["text"] = "liver"
        file["fixed"] = np.array([b"a", b"bc"])
        file["record"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
        file["long"] = np.zeros(2, dtype=np.longdouble)
        file["null"] = h5py.Empty("f4")
        form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        form.set_chunk((8, 8))
        form.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 8)
        space = h5py.h5s.create_simple((16, 16))
        h5py.h5d.create(file.id, b"szip", h5py.h5t.NATIVE_INT16, space, form)
        file.create_dataset("virtual", (2,), dtype="f4", external=[("x.raw", 0, 8)])
        file.create_dataset("huge", (10**6, 10**6), dtype="f4", chunks=(1000, 1000))
        file.create_dataset("large", (10**4, 10**4), dtype="u1", chunks=(1000, 1000))
    for member, *words in [
        ("text", "different lengths"), ("fixed", "text"), ("record", "several fields"),
        ("long", "80 bits"), ("null", "no elements"), 
        ("szip", "szip"), ("virtual", "other files"), ("huge", "at most"),
        ("large", "cannot hold"),
    ]:
        refuse("hdf5-refused.h5", *words, member=member)
    # The newest forms: many members in a heap, chunks found by an array or by a tree.
    with h5py.File(OUT / "hdf5-dense.h5", "w", track_order=True) as file:
        for i in range(12):
            file[f"x{i}"] = np.uint8(i)
    add("hdf5-dense.h5", "x0", "x7", "x11")
    with h5py.File(OUT / "hdf5-newest.h5", "w", libver="latest") as file:
        file.create_dataset("fixed", data=mask, chunks=(2, 3, 4))
        file.create_dataset("open", data=volume, chunks=(2, 3, 4), maxshape=(5, None, 6))
        file.create_dataset("tree", data=volume, chunks=(1, 1, 1), maxshape=(None,) * 3)
        file.create_dataset(
            "packed", data=noise, chunks=(4, 4), maxshape=(None,) * 2, compression="gzip"
        )
    add("hdf5-newest.h5", "fixed", "open", "tree", "packed")

    data = (OUT / "hdf5-userblock.h5").read_bytes()
    (OUT / "hdf5-cut.h5").write_bytes(data[: len(data) // 2])
    refuse("hdf5-cut.h5", "cut short")
    (OUT / "hdf5-other.h5").write_bytes(b"no such file" * 100)
    refuse("hdf5-other.h5", "not an HDF5 file")
    with h5py.File(OUT / "hdf5-checksum.h5", "w") as file:
        file.create_dataset("odd", data=mask[0, 0], chunks=(6,), fletcher32=True)
        at = file["odd"].id.get_chunk_info(0).byte_offset
    data = bytearray((OUT / "hdf5-checksum.h5").read_bytes())
    data[at] ^= 1
    (OUT / "hdf5-checksum.h5").write_bytes(data)
    refuse("hdf5-checksum.h5", "checksum", member="odd")
