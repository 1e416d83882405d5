import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { loadArrayFile, readHeaderFile } from "../../src/arrays/loadArray.node.ts";
import type { ArrayHeader } from "../../src/arrays/members.ts";
import type { NdArray } from "../../src/arrays/ndarray.ts";
import { readNpy } from "../../src/arrays/npy.ts";
import { runOracle } from "./environment.ts";

interface Sample {
  readonly path: string;
  /** What the library reads, as a .npy file. */
  readonly array: string;
  readonly member?: string;
  readonly affine?: readonly (readonly number[])[];
}

function bytesOf({ data }: NdArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

describe("array files, against the libraries that people read them with", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-files-"));
  let samples: readonly Sample[] = [];

  before(async () => {
    samples = JSON.parse(await runOracle("test/oracle/array_files.py", [folder])) as Sample[];
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function assertSame({ path, array, member }: Sample): NdArray {
    const label = `${basename(path)}[${member ?? ""}]`;
    const wanted = readNpy(new Uint8Array(readFileSync(join(folder, array))), array);
    const found = loadArrayFile(path, member);
    assert.deepEqual([found.dtype, found.shape], [wanted.dtype, wanted.shape], label);
    assert.ok(Buffer.compare(bytesOf(found), bytesOf(wanted)) === 0, `${label}: elements`);
    return found;
  }

  it("nibabel's own sample images: dtype, shape, every bit and the affine", () => {
    const images = samples.filter(({ path }) => /\.nii(?:\.gz)?$/u.test(path));
    assert.ok(images.length >= 8, String(images.length));
    for (const image of images) {
      const { space, dtype, shape } = assertSame(image);
      const header = readHeaderFile(image.path) as ArrayHeader;
      assert.deepEqual([header.dtype, header.shape], [dtype, shape], image.path);
      const found = space!.affine.flat();
      for (const [i, wanted] of image.affine!.flat().entries()) {
        const error = Math.abs(found[i]! - wanted);
        assert.ok(error <= 1e-6 * Math.max(1, Math.abs(wanted)), `${image.path}: ${found.join()}`);
      }
    }
  });

  it("tifffile's volumes, channels and times as ImageJ and OME-TIFF note them", () => {
    const images = samples.filter(({ path }) => /microscope\d\.tif$/u.test(path));
    assert.equal(images.length, 7);
    for (const image of images) assertSame(image);
  });

  it("tensors of torch.save in both forms: nested, sharing storages, with strides and offsets", () => {
    const tensors = samples.filter(({ path }) => /checkpoint\d+\.pt$/u.test(path));
    assert.ok(tensors.length >= 400, String(tensors.length));
    for (const tensor of tensors) assertSame(tensor);
  });

  it("MONAI's images, parameters with attributes, conjugates: what PyTorch loads", () => {
    const tensors = samples.filter(({ path }) => /subclasses\.pth?$/u.test(path));
    assert.ok(tensors.length >= 60, String(tensors.length));
    for (const tensor of tensors) assertSame(tensor);
  });

  it("h5py's newest form: chunks by every index, members of large groups", () => {
    const datasets = samples.filter(({ path }) => path.endsWith("chunks.h5"));
    assert.ok(datasets.length >= 30, String(datasets.length));
    for (const dataset of datasets) assertSame(dataset);
  });

  it("HDF5's filters that leave out bits, types that use only some, and checksums", () => {
    const datasets = samples.filter(({ path }) => path.endsWith("bits.h5"));
    assert.ok(datasets.length >= 300, String(datasets.length));
    for (const dataset of datasets) assertSame(dataset);
  });
});
