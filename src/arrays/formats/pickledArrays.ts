/**
 * NumPy's arrays in a pickle, as they stand beside tensors: what would make one, its shape, its type and
 * its bytes. Source: NumPy's numpy/_core/src/multiarray/methods.c, array_reduce and array_setstate.
 */
import { dtypes } from "../dtype.ts";
import { arrayOf, type Layout } from "../elements.ts";
import { elementCount, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import { parseTypeString } from "../typeString.ts";
import { isKind, type Pickled, type PickleObject } from "./pickle.ts";

/** An array whose elements stand in the pickle. */
export class PickledArray {
  readonly layout: Layout;
  /** A character a byte. */
  private readonly text: string;
  constructor(layout: Layout, text: string) {
    this.layout = layout;
    this.text = text;
  }

  read(origin: ArrayOrigin): NdArray {
    const bytes = Uint8Array.from(this.text, (byte) => byte.charCodeAt(0));
    return arrayOf(bytes, this.layout, origin);
  }
}

/** Whether an object would be a NumPy array. */
export function isPickledArray({ name }: PickleObject): boolean {
  return RECONSTRUCT.test(name) || FROM_BUFFER.test(name);
}

const RECONSTRUCT = /^numpy\.(?:_?core)\.multiarray\._reconstruct$/u;
/** Since protocol 5. */
const FROM_BUFFER = /^numpy\._?core\.numeric\._frombuffer$/u;

/** Such an array; a text says why there is none. */
export function pickledArray({ name, items, state }: PickleObject): PickledArray | string {
  const parts = isKind(state, "tuple") ? state.items : [];
  const [text, type, shape, order] = FROM_BUFFER.test(name)
    ? [items[0], items[1], items[2], items[3] === "F"]
    : [parts[4], parts[2], parts[1], parts[3]];
  const lengths = isKind(shape, "tuple") ? shape.items : null;
  const isShape = lengths?.every((n) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0);
  if (lengths === null || isShape !== true || lengths.length > 64) return DAMAGED;
  const element = typeString(type);
  const parsed = element === undefined ? undefined : parseTypeString(element);
  if (parsed === undefined) return DAMAGED;
  if (!("dtype" in parsed)) return `a NumPy array that ${parsed.reason}`;
  const { dtype, littleEndian = true } = parsed;
  const size = elementCount(lengths as number[]) * dtypes[dtype].bytes;
  if (typeof text !== "string" || text.length !== size || /[^\0-\u00ff]/u.test(text)) {
    return DAMAGED;
  }
  const fortranOrder = order === true;
  return new PickledArray({ dtype, shape: lengths as number[], littleEndian, fortranOrder }, text);
}

const DAMAGED = "a NumPy array whose shape, type and bytes do not fit together";

/** The type string of a pickled dtype: "<f4". */
function typeString(type: Pickled | undefined): string | undefined {
  if (!isKind(type, "object") || type.name !== "numpy.dtype") return undefined;
  const [code] = type.items;
  const order = isKind(type.state, "tuple") ? type.state.items[1] : "|";
  return typeof code === "string" && typeof order === "string" ? order + code : undefined;
}
