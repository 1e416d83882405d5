/** `re`, for patterns that take one look at each place: letters, and classes of letters. */
import { makeClass } from "../../interpreter/classes.ts";
import { NONE, type Value, str, tuple, int } from "../../values.ts";
import type { CallContext, Meaning } from "../signature.ts";
import { type Contents, fn, method } from "./define.ts";

/** Without repetitions nothing can take long, whatever the pattern and the text. */
const PLAIN = /^(?:\[\^?[\w ,.;:|<>=/-]+\]|[\w ,;:<>=/-])+$/;

const part = (name: string, of: string): [string, Value] =>
  method(name, "self, group=0", (c) => {
    const self = c.value("self");
    if (c.int("group") !== 0) c.vm.unsupported("groups of a regular expression are not supported");
    return self.kind === "instance" ? (self.attributes.get(of) ?? NONE) : NONE;
  });

const MATCH = makeClass({
  name: "Match",
  bases: [],
  attributes: new Map([
    part("group", "_text"),
    part("start", "_start"),
    part("end", "_end"),
    part("span", "_span"),
  ]),
})!;

function found(c: CallContext, pattern: RegExp): Value {
  const hit = pattern.exec(c.text("string"));
  if (hit === null) return NONE;
  const [start, end] = [hit.index, hit.index + hit[0].length];
  const attributes = new Map<string, Value>([
    ["_text", str(hit[0])],
    ["_start", int(start)],
    ["_end", int(end)],
    ["_span", tuple([int(start), int(end)])],
  ]);
  return { kind: "instance", cls: MATCH, attributes, born: c.vm.epoch };
}

const matching =
  (around: (pattern: string) => string): Meaning =>
  (c) => {
    const pattern = c.text("pattern");
    const compiled = PLAIN.test(pattern) ? regExp(around(pattern)) : null;
    if (compiled === null) {
      return c.vm.unsupported(
        `the regular expression ${JSON.stringify(pattern)} is not carried out`,
      );
    }
    return found(c, compiled);
  };

/** Null where it is none, as [z-a]. */
function regExp(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}

const SIGNATURE = "pattern, string, !flags=0";

export const patterns: Contents = {
  search: fn(
    "search",
    SIGNATURE,
    matching((p) => p),
  ),
  match: fn(
    "match",
    SIGNATURE,
    matching((p) => `^(?:${p})`),
  ),
  fullmatch: fn(
    "fullmatch",
    SIGNATURE,
    matching((p) => `^(?:${p})$`),
  ),
};
