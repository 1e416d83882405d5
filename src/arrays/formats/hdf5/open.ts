/**
 * HDF5 files as h5py and the library write them, old forms and new: datasets of numbers, contiguous or
 * in chunks, packed by gzip or LZF, shuffled, checksummed, or with fewer bits (scale-offset, n-bit).
 * Each is a member by its path, `images/mask`; dtype and shape are h5py's.
 *
 * A reader of our own for this much: the known small one follows damaged files without end and
 * without a limit on memory, and the complete one is a compiled library of several megabytes.
 */
import type { ArrayInFile, ReadOptions } from "../../members.ts";
import type { ByteSource } from "../../source.ts";
import { openDataset } from "./dataset.ts";
import { Hdf5File } from "./file.ts";
import { datasetsOf } from "./groups.ts";

/** Opens a .h5 file: its datasets by path. @throws ArrayError */
export function openHdf5(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  const file = new Hdf5File(source, name);
  return new Map(
    [...datasetsOf(file)].map(([member, dataset]) => [
      member,
      () => openDataset(file, dataset, member, options),
    ]),
  );
}
