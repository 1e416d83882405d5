/** Modules of the standard library that losses import: what matters of each, or nothing at all. */
import { collections } from "./collections.ts";
import { contextlib } from "./contextlib.ts";
import { copying } from "./copying.ts";
import { dataclasses } from "./dataclasses.ts";
import type { Contents } from "./define.ts";
import { enumeration } from "./enumeration.ts";
import { functools } from "./functools.ts";
import { itertools } from "./itertools.ts";
import { operator } from "./operator.ts";
import { logging, warnings } from "./silent.ts";
import { abc, annotations, typing } from "./typing.ts";

export const standardModules: Readonly<Record<string, Contents>> = {
  abc,
  collections,
  "collections.abc": annotations([
    "Callable", "Sequence", "MutableSequence", "Iterable", "Mapping", "MutableMapping", "Hashable",
    "Iterator", "Generator", "Collection", "Container", "Sized", "Set",
  ]), // prettier-ignore
  contextlib,
  copy: copying,
  dataclasses,
  enum: enumeration,
  functools,
  itertools,
  logging,
  operator,
  typing,
  typing_extensions: typing,
  warnings,
  __future__: annotations([
    "annotations",
    "division",
    "print_function",
    "absolute_import",
    "unicode_literals",
  ]),
};
