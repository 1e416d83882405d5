/** finfo(dtype), which several libraries have: eps, max, min and tiny of a float type. */
import { makeClass } from "../interpreter/classes.ts";
import { type BuiltinValue, type Value, float } from "../values.ts";

const FINFO: Readonly<Record<string, readonly [eps: number, max: number, tiny: number]>> = {
  float64: [2 ** -52, Number.MAX_VALUE, 2 ** -1022],
  float32: [2 ** -23, (2 - 2 ** -23) * 2 ** 127, 2 ** -126],
  float16: [2 ** -10, 65504, 2 ** -14],
  bfloat16: [2 ** -7, (2 - 2 ** -7) * 2 ** 127, 2 ** -126],
};

const FINFO_CLASS = makeClass({ name: "finfo", bases: [], attributes: new Map() })!;

export const finfo: BuiltinValue = {
  kind: "builtin",
  name: "finfo",
  call: (vm, { positional }) => {
    const v = positional[0];
    const name = v?.kind === "dtype" ? v.dtype : v?.kind === "class" ? "float64" : "float32";
    const [eps, max, tiny] = FINFO[name] ?? vm.fail("TypeError", `finfo() of ${name}`);
    return {
      kind: "instance",
      cls: FINFO_CLASS,
      attributes: new Map<string, Value>([
        ["eps", float(eps)],
        ["max", float(max)],
        ["min", float(-max)],
        ["tiny", float(tiny)],
        ["smallest_normal", float(tiny)],
      ]),
      born: vm.epoch,
    };
  },
};
