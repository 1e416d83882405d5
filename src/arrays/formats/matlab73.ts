/**
 * MATLAB's files of version 7.3, which are HDF5: each variable is a dataset whose axes are in the order
 * of the memory, which for MATLAB is from the last to the first. Shapes are MATLAB's own, as in its
 * older files; fields of structs are members by their path, `case/pred`.
 */
import { refusal } from "../fileErrors.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import { latin1, type ByteSource } from "../source.ts";
import { openDataset } from "./hdf5/dataset.ts";
import { Hdf5File, MESSAGE } from "./hdf5/file.ts";
import { datasetsOf, type Dataset } from "./hdf5/groups.ts";
import { MATLAB_REMEDY } from "./matlabParts.ts";

/** Opens a .mat file of version 7.3: its variables by name. @throws ArrayError */
export function openMatlab73(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  const file = new Hdf5File(source, name);
  const members = new Map<string, () => ArrayInFile>();
  for (const [member, dataset] of datasetsOf(file)) {
    // Contents of cell arrays, and MATLAB's own.
    if (member.startsWith("#")) continue;
    members.set(member, () => {
      const label = `${name}[${member}]`;
      const kind = attributeText(dataset, "MATLAB_class") ?? "";
      const what = OTHERS[kind.replace(/\0.*$/su, "")];
      const isEmpty = attributeText(dataset, "MATLAB_empty") !== undefined;
      if (what !== undefined || isEmpty) {
        throw refusal(
          `${label} is ${what ?? "an empty array"}; only arrays of numbers are read.`,
          label,
          { file: name, remedy: MATLAB_REMEDY },
        );
      }
      return openDataset(file, dataset, member, options, true);
    });
  }
  return members;
}

/** Variables that are kept as numbers, but are none. */
const OTHERS: Readonly<Record<string, string>> = {
  char: "text",
  cell: "a cell array",
  struct: "a struct",
  function_handle: "a function",
};

/** The contents of an attribute, a character a byte. */
function attributeText({ messages }: Dataset, wanted: string): string | undefined {
  for (const message of messages) {
    if (message.type !== MESSAGE.attribute || message.shared) continue;
    const fields = message.fields.again();
    const version = fields.uint(1);
    fields.skip(1);
    const lengths = [fields.uint(2), fields.uint(2), fields.uint(2)] as const;
    if (version === 3) fields.skip(1);
    // The oldest form fills each part up to eight bytes.
    const [name] = lengths.map((length) => {
      const part = fields.part(length);
      if (version === 1) fields.skip((8 - (length % 8)) % 8);
      return part;
    });
    if (name!.text() === wanted) return latin1(fields.part(fields.left).bytes);
  }
  return undefined;
}
