/** How values print: repr, str, f-strings, `format` and `%`. */
import { followsNumpy } from "../dtypes.ts";
import { formatShape } from "../../expression/axis.ts";
import type { NumericArray } from "../host.ts";
import { type NumberValue, type TensorValue, type Value, typeName } from "../values.ts";
import { findMethod } from "./attributes.ts";
import { call } from "./calls.ts";
import { isException, messageOf } from "./exceptions.ts";
import { identityOf } from "./collections.ts";
import type { Interpreter } from "./interpreter.ts";

/** Python's str(), or repr() if `repr`. */
export function display(vm: Interpreter, v: Value, repr = false): string {
  // A value may hold another many times: what is shown can be far longer than what is stored.
  vm.allocate(1);
  switch (v.kind) {
    case "none":
      return "None";
    case "ellipsis":
      return "Ellipsis";
    case "str":
      return repr ? quoted(v.value) : v.value;
    case "number":
      return displayNumber(vm, v);
    case "tensor":
      return displayTensor(vm, v, repr);
    case "tuple": {
      const items = v.items.map((x, k) =>
        v.names === undefined ? display(vm, x, true) : `${v.names[k]}=${display(vm, x, true)}`,
      );
      if (v.typeName !== undefined) return `${v.typeName}(${items.join(", ")})`;
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    }
    case "list":
      return `[${v.items.map((x) => display(vm, x, true)).join(", ")}]`;
    case "set":
      return v.entries.size === 0
        ? "set()"
        : `{${[...v.entries.values()].map((x) => display(vm, x, true)).join(", ")}}`;
    case "dict": {
      const pairs = [...v.entries.values()].map(
        ({ key, value }) => `${display(vm, key, true)}: ${display(vm, value, true)}`,
      );
      return `{${pairs.join(", ")}}`;
    }
    case "range":
      return `range(${v.start}, ${v.stop}${v.step === 1 ? "" : `, ${v.step}`})`;
    case "dtype":
      // Dtypes of JAX and HIPS Autograd are NumPy's.
      return followsNumpy(v.library) || v.library === "jax" ? v.dtype : `${v.library}.${v.dtype}`;
    case "function":
      return `<function ${v.code.name}>`;
    case "builtin":
      return `<function ${v.name}>`;
    case "class":
      return `<class '${v.name}'>`;
    case "module":
      return `<module '${v.name}'>`;
    case "instance":
      return displayInstance(vm, v, repr);
    default:
      return `<${typeName(v)}>`;
  }
}

function displayInstance(
  vm: Interpreter,
  v: Value & { readonly kind: "instance" },
  repr: boolean,
): string {
  const own = (repr ? null : findMethod(v, "__str__")) ?? findMethod(v, "__repr__");
  if (own !== null) {
    const text = call(vm, own, []);
    return text.kind === "str"
      ? text.value
      : vm.fail("TypeError", `__str__ returned non-string (type ${typeName(text)})`);
  }
  if (isException(v)) {
    const args = v.attributes.get("args");
    if (!repr) return messageOf(vm, v);
    const items = args?.kind === "tuple" ? args.items : [];
    return `${v.cls.name}(${items.map((x) => display(vm, x, true)).join(", ")})`;
  }
  return `<${typeName(v)} object ${identityOf(v)}>`;
}

function quoted(s: string): string {
  const quote = s.includes("'") && !s.includes('"') ? '"' : "'";
  const escaped = s
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

function displayNumber(vm: Interpreter, v: NumberValue): string {
  const value = v.value ?? numberOf(vm, v);
  if (value === null) return `<a number known only with arrays>`;
  if (v.type === "bool") return value === 0 ? "False" : "True";
  return v.type === "int" ? String(value) : floatText(value);
}

function numberOf(vm: Interpreter, v: NumberValue): number | null {
  return v.symbol === null ? null : (vm.evaluate(v.symbol)?.data[0] ?? null);
}

/** repr() of a float: the shortest digits that read back as the same number. */
export function floatText(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const [mantissa, exponent] = x.toExponential().split("e") as [string, string];
  const e = Number(exponent);
  if (e < -4 || e >= 16) return `${mantissa}e${exponentText(e)}`;
  const text = e < 0 ? x.toFixed(Math.max(0, digitsOf(mantissa) - 1 - e)) : String(x);
  return text.includes(".") ? text : `${text}.0`;
}

function digitsOf(mantissa: string): number {
  return mantissa.replace(/[-.]/g, "").length;
}

function exponentText(e: number): string {
  return `${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
}

// Arrays

const MOST_SHOWN = 1000;
const EDGE = 3;

function displayTensor(vm: Interpreter, t: TensorValue, repr: boolean): string {
  if (t.selection !== null) return "<the entries of an array that a mask picks>";
  const values = vm.evaluate(t.expr);
  if (values === null) return `<array of shape ${formatShape(t.expr.shape)}, values not known>`;
  const torch = t.library === "torch";
  const element = (x: number): string => elementText(x, t, torch);
  const body = arrayText(values, torch ? ", " : repr ? ", " : " ", element);
  if (torch) return `tensor(${body})`;
  if (!repr || values.shape.length === 0) return body;
  return followsNumpy(t.library) ? `array(${body})` : `Array(${body})`;
}

function elementText(x: number, t: TensorValue, torch: boolean): string {
  if (t.expr.type === "bool") return x === 0 ? "False" : "True";
  if (t.expr.type === "int") return String(x);
  if (t.expr.shape.length === 0 && !torch) return floatText(x);
  if (!Number.isFinite(x)) return floatText(x);
  const size = Math.abs(x);
  if (torch) return size !== 0 && (size < 1e-4 || size >= 1e8) ? scientific(x, 4) : x.toFixed(4);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return scientific(x, 8);
  return x.toFixed(8).replace(/0+$/, "");
}

function scientific(x: number, digits: number): string {
  const [m, e] = x.toExponential(digits).split("e") as [string, string];
  return `${m}e${exponentText(Number(e))}`;
}

function arrayText(
  { shape, data }: NumericArray,
  separator: string,
  element: (x: number) => string,
): string {
  const total = shape.reduce((n, s) => n * s, 1);
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, s) => n * s, 1));
  const show = (d: number, offset: number): string => {
    const n = shape[d];
    if (n === undefined) return element(data[offset]!);
    const cut = total > MOST_SHOWN && n > 2 * EDGE;
    const rows: string[] = [];
    for (let k = 0; k < n; k++) {
      if (cut && k === EDGE) {
        rows.push("...");
        k = n - EDGE;
      }
      rows.push(show(d + 1, offset + k * strides[d]!));
    }
    const inner = d < shape.length - 1 ? `${separator.trimEnd()}\n${" ".repeat(d + 1)}` : separator;
    return `[${rows.join(inner)}]`;
  };
  return show(0, 0);
}

// Format specifications

/** `format(v, spec)`, the part after the colon in an f-string. */
export function formatValue(vm: Interpreter, v: Value, spec: string): string {
  if (spec === "") return display(vm, v);
  const own = findMethod(v, "__format__");
  if (own !== null) return display(vm, call(vm, own, [{ kind: "str", value: spec }]));
  const m =
    /^(?:(.)?([<>=^]))?([-+ ])?z?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u.exec(
      spec,
    );
  if (m === null) {
    return vm.fail("ValueError", `Invalid format specifier '${spec}'`);
  }
  const [, fill, align, sign, , zero, width, group, precision, type] = m;
  const number = numericValue(vm, v);
  let text: string;
  if (number === null) {
    if (type !== undefined && type !== "s") {
      if (v.kind === "tensor" || v.kind === "number") return display(vm, v);
      return vm.fail(
        "ValueError",
        `Unknown format code '${type}' for object of type '${typeName(v)}'`,
      );
    }
    text = display(vm, v);
    if (precision !== undefined) text = text.slice(0, Number(precision));
  } else {
    text = numberText(number.value, number.isInt, type, precision, group);
    if (!text.startsWith("-") && (sign === "+" || sign === " ")) text = sign + text;
  }
  const wide = width === undefined ? 0 : Number(width);
  const pad = fill ?? (zero === undefined ? " " : "0");
  const how = align ?? (zero !== undefined ? "=" : number === null ? "<" : ">");
  return padded(text, wide, pad, how);
}

function numericValue(
  vm: Interpreter,
  v: Value,
): { readonly value: number; readonly isInt: boolean } | null {
  if (v.kind === "number") {
    const value = v.value ?? numberOf(vm, v);
    return value === null ? null : { value, isInt: v.type !== "float" };
  }
  if (v.kind !== "tensor" || v.expr.shape.length > 0) return null;
  const value = vm.evaluate(v.expr)?.data[0];
  return value === undefined ? null : { value, isInt: v.expr.type !== "float" };
}

function numberText(
  x: number,
  isInt: boolean,
  type: string | undefined,
  precision: string | undefined,
  group: string | undefined,
): string {
  const digits = precision === undefined ? null : Number(precision);
  const grouped = (text: string): string =>
    group === undefined
      ? text
      : text.replace(
          /^(-?)(\d+)/,
          (_, s: string, whole: string) => s + whole.replace(/\B(?=(\d{3})+$)/g, group),
        );
  if (!Number.isFinite(x)) return floatText(x);
  switch (type) {
    case "f":
    case "F":
      return grouped(x.toFixed(Math.min(digits ?? 6, 100)));
    case "e":
    case "E": {
      const text = scientific(x, Math.min(digits ?? 6, 100));
      return type === "E" ? text.toUpperCase() : text;
    }
    case "%":
      return `${(x * 100).toFixed(digits ?? 6)}%`;
    case "g":
    case "G":
    case undefined:
      if (type === undefined && isInt) return grouped(String(x));
      if (type === undefined && digits === null) return grouped(floatText(x));
      return grouped(general(x, digits ?? 6));
    case "x":
    case "X": {
      const text = x.toString(16);
      return type === "X" ? text.toUpperCase() : text;
    }
    case "o":
      return x.toString(8);
    case "b":
      return x.toString(2);
    default:
      return grouped(String(x));
  }
}

/** `%g`: significant digits without trailing zeros. */
function general(x: number, digits: number): string {
  if (x === 0) return "0";
  const p = Math.max(1, Math.min(digits, 100));
  const e = Number(x.toExponential(p - 1).split("e")[1]);
  if (e < -4 || e >= p) {
    const [m] = x.toExponential(p - 1).split("e") as [string];
    return `${m.includes(".") ? m.replace(/\.?0+$/, "") : m}e${exponentText(e)}`;
  }
  const text = x.toFixed(Math.min(Math.max(0, p - 1 - e), 100));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const MAX_PADDING = 1_000_000;

function padded(text: string, width: number, fill: string, align: string): string {
  const missing = width - text.length;
  if (missing <= 0) return text;
  if (missing > MAX_PADDING) throw new RangeError("the text is too wide");
  switch (align) {
    case "<":
      return text + fill.repeat(missing);
    case "^":
      return fill.repeat(Math.floor(missing / 2)) + text + fill.repeat(Math.ceil(missing / 2));
    case "=": {
      const sign = /^[-+ ]/.exec(text)?.[0] ?? "";
      return sign + fill.repeat(missing) + text.slice(sign.length);
    }
    default:
      return fill.repeat(missing) + text;
  }
}

/** `"%d of %s" % (a, b)`. */
export function percentFormat(vm: Interpreter, template: string, args: Value): string {
  const values = args.kind === "tuple" ? [...args.items] : [args];
  let used = 0;
  const text = template.replace(
    /%(?:\((\w+)\))?([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (
      _,
      key: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      type: string,
    ) => {
      if (type === "%") return "%";
      let v: Value | undefined;
      if (key !== undefined && args.kind === "dict") v = args.entries.get(`s${key}`)?.value;
      else v = values[used++];
      if (v === undefined) return vm.fail("TypeError", "not enough arguments for format string");
      if (type === "s" || type === "r") {
        return padded(
          display(vm, v, type === "r"),
          Number(width ?? 0),
          " ",
          flags.includes("-") ? "<" : ">",
        );
      }
      const align = flags.includes("-") ? "<" : "";
      const sign = flags.includes("+") ? "+" : "";
      const zero = flags.includes("0") && align === "" ? "0" : "";
      const dot = precision === undefined ? "" : `.${precision}`;
      const whole = type === "i" || type === "u" ? "d" : type;
      return formatValue(vm, v, `${align}${sign}${zero}${width ?? ""}${dot}${whole}`);
    },
  );
  if (args.kind === "tuple" && used < values.length) {
    return vm.fail("TypeError", "not all arguments converted during string formatting");
  }
  return text;
}
