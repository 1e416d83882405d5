/**
 * Letters that run over several axes at once. Where nothing reads but the positions along each of
 * them, a sum is over these: Σ_i p[b(i),c,h(i)] is Σ_{b,h} p[b,c,h].
 */
import type { Axis } from "./axis.ts";
import {
  type Index,
  affine,
  indexKey,
  isDropped,
  lettersOf,
  partOf,
  plus,
  tupleOf,
} from "./indices.ts";
import type { Allocation } from "./letters.ts";
import { type Binder, type Term, boundLetters, withIndices } from "./term.ts";

/**
 * What an operator binds, and over what, with a letter for each axis in place of one for all.
 * @param allocate letters for axes that are none of those given
 */
export function lettersApart(
  over: readonly Binder[],
  body: Term,
  scope: ReadonlySet<string>,
  allocate: (axes: readonly Axis[], taken: ReadonlySet<string>) => Allocation,
): { readonly over: readonly Binder[]; readonly body: Term } {
  let inner = body;
  const binders = over.flatMap((binder): readonly Binder[] => {
    const { axes, taken } = read(inner, binder.letter);
    if (axes === null || binder.from !== undefined) return [binder];
    const outer = over.map((o) => o.letter).filter((l) => l !== binder.letter);
    const given = allocate(axes, new Set([...scope, ...taken, ...outer, ...boundLetters(inner)]));
    // One letter for two of them would be read in parts again.
    if (given.binders.length !== axes.filter((a) => !isDropped(a)).length) return [binder];
    inner = withIndices(inner, (i) => replaced(i, binder.letter, given.indices));
    return given.binders;
  });
  return { over: binders, body: inner };
}

/** The axes that a letter runs over where only positions along them are read, and other letters. */
function read(
  body: Term,
  letter: string,
): { readonly axes: readonly Axis[] | null; readonly taken: ReadonlySet<string> } {
  const taken = new Set<string>();
  /** How the letter is read, by a key; null: itself. */
  const ways = new Map<string, readonly Axis[] | null>();
  const look = (i: Index): void => {
    const axes = axesOf(i, letter);
    if (axes !== null) ways.set(indexKey({ ...(i as Part), k: 0 }), axes);
    else if (i.kind !== "letter") inside(i).forEach(look);
    else if (i.letter === letter) ways.set("", null);
  };
  withIndices(body, (i) => {
    for (const l of lettersOf(i)) if (l !== letter) taken.add(l);
    look(i);
    return i;
  });
  const [axes = null] = ways.values();
  return { axes: ways.size === 1 ? axes : null, taken };
}

type Part = Index & { readonly kind: "part" };

/** The axes along one of which an index is the position of a letter; null where it is not. */
function axesOf(i: Index, letter: string): readonly Axis[] | null {
  const isOf = i.kind === "part" && i.whole.kind === "letter" && i.whole.letter === letter;
  return isOf ? i.axes : null;
}

function inside(i: Index): readonly Index[] {
  switch (i.kind) {
    case "at":
    case "letter":
      return [];
    case "affine":
      return [i.of];
    case "plus":
      return [i.left, i.right];
    case "part":
      return [i.whole];
    case "tuple":
      return i.parts;
  }
}

/** An index with others in place of the parts of a letter. */
function replaced(i: Index, letter: string, by: readonly Index[]): Index {
  if (axesOf(i, letter) !== null) return by[(i as Part).k]!;
  const within = (x: Index): Index => replaced(x, letter, by);
  switch (i.kind) {
    case "at":
    case "letter":
      return i;
    case "affine":
      return affine(within(i.of), i.scale, i.offset);
    case "plus":
      return plus(within(i.left), within(i.right), i.scale, i.offset);
    case "part":
      return partOf(within(i.whole), i.axes, i.k);
    case "tuple":
      return tupleOf(i.parts.map(within), i.axes);
  }
}
