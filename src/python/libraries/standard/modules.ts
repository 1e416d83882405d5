/** Modules of the standard library that losses import: what matters of each, or nothing at all. */
import { abstractCollections } from "./abstract.ts";
import { collections } from "./collections.ts";
import { contextlib } from "./contextlib.ts";
import { copying } from "./copying.ts";
import { dataclasses } from "./dataclasses.ts";
import type { Contents } from "./define.ts";
import { enumeration } from "./enumeration.ts";
import { functools } from "./functools.ts";
import { inspection } from "./inspection.ts";
import { itertools } from "./itertools.ts";
import { operator } from "./operator.ts";
import { patterns } from "./patterns.ts";
import { logging, warnings } from "./silent.ts";
import {
  importlib,
  importlibUtil,
  json,
  os,
  osPath,
  sys,
  threading,
  traceback,
  types,
} from "./system.ts";
import { abc, annotations, typing } from "./typing.ts";
import { packagingVersion } from "./versions.ts";

export const standardModules: Readonly<Record<string, Contents>> = {
  abc,
  collections,
  "collections.abc": abstractCollections,
  contextlib,
  copy: copying,
  dataclasses,
  enum: enumeration,
  functools,
  importlib,
  "importlib.util": importlibUtil,
  traceback,
  inspect: inspection,
  itertools,
  json,
  logging,
  operator,
  os,
  "os.path": osPath,
  packaging: {},
  "packaging.version": packagingVersion,
  re: patterns,
  sys,
  threading,
  types,
  typing: { ...typing, ...abstractCollections },
  typing_extensions: { ...typing, ...abstractCollections },
  warnings,
  __future__: annotations([
    "annotations",
    "division",
    "print_function",
    "absolute_import",
    "unicode_literals",
  ]),
};
