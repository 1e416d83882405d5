/**
 * A call of a catalogue loss while it is being typed: whether it can be compared with as it stands,
 * what is wrong with it, and what may come next.
 */
import { nearestNames } from "../arrays/names.ts";
import { formatCall } from "../losses/call.ts";
import { CATALOGUE, parseCall, search } from "../losses/catalogue.ts";
import type { CatalogueEntry, LossParameter } from "../losses/entry.ts";
import { CallError, formatValue } from "../losses/python.ts";

/** Text that may follow, with the whole text as it then is. */
export interface Completion {
  readonly label: string;
  readonly about: string;
  readonly text: string;
}

export interface CallReading {
  /** The call, without defaults, once it can be compared with; a missing bracket is added. */
  readonly call: string | null;
  /** What the loss of the call is. */
  readonly about: string | null;
  /** Why it is no call yet; null also where it is merely not finished. */
  readonly problem: string | null;
  readonly completions: readonly Completion[];
  /** Ids of the catalogue's losses that fit the name, best first. */
  readonly found: readonly string[];
}

/** Reads what someone has typed so far. Never throws. */
export function readCallAsTyped(text: string): CallReading {
  const typed = text.trim();
  const bracket = typed.indexOf("(");
  const name = bracket < 0 ? typed : typed.slice(0, bracket);
  const found = search(name.replaceAll(".", " ")).map((e) => e.id);
  const nothing = { call: null, about: null, problem: null, completions: [], found };
  if (typed === "") return nothing;
  // Words are looked for; only a name and its arguments are read.
  if (!/^[\w.]+\s*(\(|$)/u.test(typed)) {
    return found.length > 0 ? nothing : { ...nothing, problem: `Nothing is found for ${typed}` };
  }
  try {
    return { ...nothing, ...readCall(closed(typed)), completions: completionsOf(typed) };
  } catch (e) {
    if (!(e instanceof CallError)) throw e;
    const completions = completionsOf(typed);
    const suggestions = suggestionsFor(e, typed);
    const isUnfinished =
      bracket < 0 ? found.length > 0 : completions.length > 0 && e.unknown === null;
    return {
      ...nothing,
      problem: isUnfinished ? null : e.message,
      completions: [...suggestions, ...completions],
    };
  }
}

/** "Did you mean monai.losses.DiceLoss?", where a name is nearly one that is known. */
export function didYouMean(e: CallError): string | null {
  if (e.unknown === null) return null;
  const [nearest] = nearTo(e.unknown.name, e.unknown.known);
  return nearest === undefined ? null : `Did you mean ${nearest}?`;
}

function readCall(text: string): { readonly call: string; readonly about: string } {
  const { entry, parameters } = parseCall(text);
  return { call: formatCall(entry, parameters), about: `${entry.title}, ${entry.library}` };
}

/** The text with the brackets closed that are open, strings aside. */
function closed(text: string): string {
  const open: string[] = [];
  for (const c of text.replace(/"[^"]*"|'[^']*'/g, "")) {
    const closing = { "(": ")", "[": "]", "{": "}" }[c];
    if (closing !== undefined) open.push(closing);
    else if (open.at(-1) === c) open.pop();
  }
  return text + open.reverse().join("");
}

/** Where the last argument begins, and what there is of it. */
const ARGUMENT = /[(,]\s*(?:([A-Za-z_]\w*)(\s*=\s*([^,()[\]{}=]*))?)?$/;

function completionsOf(text: string): Completion[] {
  const entry = entryOf(text);
  const last = ARGUMENT.exec(text);
  if (entry === null || last === null || closed(text).length - text.length !== 1) return [];
  const [whole, name = "", value, begun = ""] = last;
  const before = text.slice(0, text.length - whole.length) + /^[(,]\s*/.exec(whole)![0];
  const parameter = entry.parameters.find((p) => p.name === name);
  if (value !== undefined) {
    if (parameter === undefined) return [];
    return valuesOf(parameter)
      .filter((v) => v.startsWith(begun.trim()) && v !== begun.trim())
      .map((v) => ({
        label: `${name}=${v}`,
        about: parameter.about,
        text: `${before}${name}=${v}, `,
      }));
  }
  const given = new Set([...text.matchAll(/([A-Za-z_]\w*)\s*=/g)].map((m) => m[1]));
  return entry.parameters
    .filter((p) => p.name.startsWith(name) && !given.has(p.name))
    .map((p) => ({
      label: `${p.name}=${p.default === undefined ? "…" : formatValue(p.default, isFloat(p))}`,
      about: p.about,
      text: `${before}${p.name}=`,
    }));
}

function entryOf(text: string): CatalogueEntry | null {
  const name = /^[\w.]+(?=\s*\()/u.exec(text)?.[0];
  try {
    return name === undefined ? null : parseCallee(name);
  } catch (e) {
    if (e instanceof CallError) return null;
    throw e;
  }
}

/** The entry of a name, also where its call still lacks what it needs. */
function parseCallee(name: string): CatalogueEntry | null {
  const whole = CATALOGUE.find((e) => e.id === name || e.aliases.includes(name));
  return whole ?? parseCall(name).entry;
}

const isFloat = (p: LossParameter): boolean => p.type === "float" || p.type === "floats";

/** Values that a parameter can have, as far as they can be listed. */
function valuesOf(p: LossParameter): string[] {
  const own = p.default === undefined ? [] : [formatValue(p.default, isFloat(p))];
  const others = p.choices ?? (p.type === "bool" ? [true, false] : []);
  const none = p.nullable === true ? ["None"] : [];
  return [...new Set([...others.map((c) => formatValue(c, isFloat(p))), ...own, ...none])];
}

/** The text with the unknown name replaced by those that it may be meant for. */
function suggestionsFor(e: CallError, text: string): Completion[] {
  if (e.unknown === null) return [];
  const { name, known } = e.unknown;
  const at = text.indexOf(name, e.at);
  if (at < 0) return [];
  return nearTo(name, known).map((meant) => ({
    label: meant,
    about: `Did you mean ${meant}?`,
    text: text.slice(0, at) + meant + text.slice(at + name.length),
  }));
}

/** Of dotted names the last part may be all that was written. */
function nearTo(name: string, known: readonly string[]): string[] {
  const last = (n: string): string => n.slice(n.lastIndexOf(".") + 1);
  const whole = name.includes(".") ? known : known.map(last);
  const near = nearestNames(name, whole);
  return known.filter((k) => near.includes(k) || near.includes(last(k))).slice(0, 3);
}
