/** Formats that people keep arrays in and that are not read: what to do about each. */

interface OtherFormat {
  readonly extensions: readonly string[];
  /** What such a file is, after "is": "a DICOM file". */
  readonly what: string;
  /** A line of Python, or a sentence. */
  readonly remedy: string;
}

const TO_NIFTI = 'Convert it: sitk.WriteImage(sitk.ReadImage("FILE"), "mask.nii.gz")';
const TO_NPZ = 'Save the arrays: np.savez("case.npz", pred=pred, target=target)';

const OTHER_FORMATS: readonly OtherFormat[] = [
  {
    extensions: [".nhdr"],
    what: "a NRRD header whose elements are in another file",
    remedy: 'Make one file of both: nrrd.write("mask.nrrd", *nrrd.read("mask.nhdr"))',
  },
  {
    extensions: [".raw", ".zraw"],
    what: "elements without a header",
    remedy: "Give the .mhd file beside it.",
  },
  { extensions: [".dcm", ".dicom", ".ima"], what: "a DICOM file", remedy: TO_NIFTI },
  {
    extensions: [".mgz", ".mgh"],
    what: "a FreeSurfer volume",
    remedy: 'Convert it: nibabel.save(nibabel.load("mask.mgz"), "mask.nii.gz")',
  },
  {
    extensions: [".jpg", ".jpeg", ".webp"],
    what: "an image whose compression changes values, which no mask survives",
    remedy: "Use the mask or the probabilities themselves, as .png, .tif or .npy.",
  },
  {
    extensions: [".gif", ".bmp"],
    what: "an image of a kind that is not read",
    remedy: 'Convert it: PIL.Image.open("FILE").save("mask.png")',
  },
  {
    extensions: [".pkl", ".pickle", ".joblib", ".dill"],
    what: "a Python pickle, and opening one can run any code",
    remedy: TO_NPZ,
  },
  {
    extensions: [".bin"],
    what: "a file of bytes that its ending does not tell of",
    remedy: "If torch.save wrote it, name it .pt.",
  },
  {
    extensions: [".zarr", ".n5", ".parquet", ".feather", ".tfrecord", ".tfrecords", ".nc"],
    what: "a container that is not read",
    remedy: TO_NPZ,
  },
  {
    extensions: [".xlsx", ".xls", ".ods"],
    what: "a spreadsheet",
    remedy: "Save the sheet as CSV.",
  },
];

/** What a file with that name is, if it is one of those; the remedy names the file. */
export function otherFormat(name: string): { what: string; remedy: string } | undefined {
  const lower = name.toLowerCase();
  const found = OTHER_FORMATS.find(({ extensions }) =>
    extensions.some((extension) => lower.endsWith(extension)),
  );
  if (found === undefined) return undefined;
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  return { what: found.what, remedy: found.remedy.replace("FILE", base) };
}
