/** Answers questions about the arrays that someone points at. */
import { ArrayError, type ArraySummary } from "../../arrays/ndarray.ts";
import { type ArrayHeader, chooseMember } from "../../arrays/members.ts";
import type { FileHeader } from "../../arrays/readers.ts";
import type { PythonParser } from "../../python/parser.ts";
import type { Watch } from "../inspect.ts";
import type { ArrayAnswer, ArrayAsk, FileArray } from "./protocol.ts";
import { tableArrays } from "./table.ts";
import { WrittenArrays } from "./written.ts";

/** Array files of the machine. */
export interface ArrayFiles {
  /** @throws ArrayError */
  header(path: string): FileHeader;
  /**
   * Null where it costs too much, or when the watch cancels it.
   * @throws ArrayError
   */
  summary(path: string, member: string | undefined, watch: Watch): ArraySummary | null;
}

/** More members than anybody chooses from are not opened. */
const MOST_MEMBERS = 1000;

/** Never throws for what is wrong with a text or a file: that is an answer. */
export function answerAboutArrays(
  ask: ArrayAsk,
  parser: PythonParser,
  files: ArrayFiles,
  watch: Watch,
): ArrayAnswer {
  try {
    switch (ask.kind) {
      case "text":
        return fromText(ask, parser);
      case "file":
        return members(files.header(ask.path), ask.path);
      case "member":
        return member(ask.path, ask.member, files, watch);
    }
  } catch (e) {
    if (e instanceof ArrayError) return { kind: "refused", message: e.describe() };
    throw e;
  }
}

function fromText(
  { language, text, file, ranges }: Extract<ArrayAsk, { kind: "text" }>,
  parser: PythonParser,
): ArrayAnswer {
  if (language === "table") return { kind: "text", ...tableArrays(text, file, ranges) };
  const arrays = new WrittenArrays(parser, text, file);
  const found = ranges.map((r) => arrays.at(r));
  return { kind: "text", found, others: arrays.others(found) };
}

function members(header: FileHeader, path: string): ArrayAnswer {
  if ("shape" in header) {
    return { kind: "file", arrays: [described(header, null)], unreadable: [] };
  }
  const arrays: FileArray[] = [];
  const failed: ArrayError[] = [];
  for (const [name, read] of [...header].slice(0, MOST_MEMBERS)) {
    try {
      arrays.push(described(read(), name));
    } catch (e) {
      if (!(e instanceof ArrayError)) throw e;
      failed.push(e);
    }
  }
  // What to save in place of one is worth saying only where nothing else is there.
  const unreadable = failed.map(({ message, remedy }) =>
    arrays.length > 0 || remedy === undefined ? message : `${message} ${remedy}`,
  );
  if (header.size > MOST_MEMBERS) {
    const more = (header.size - MOST_MEMBERS).toLocaleString("en");
    unreadable.push(`${more} more arrays of ${path} are not listed; one can be named in a cell.`);
  }
  return { kind: "file", arrays, unreadable };
}

function described({ shape, dtype, space }: ArrayHeader, member: string | null): FileArray {
  return { member, shape, dtype, ...(space === undefined ? {} : { space }) };
}

function member(path: string, name: string | null, files: ArrayFiles, watch: Watch): ArrayAnswer {
  const header = files.header(path);
  const own = "shape" in header ? header : chooseMember(header, name ?? undefined, path)();
  const summary = files.summary(path, name ?? undefined, watch);
  return { kind: "member", array: described(own, name), summary };
}
