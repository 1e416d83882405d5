/** warnings and logging: what they say to people has no part in what a loss computes. */
import { makeClass } from "../../interpreter/classes.ts";
import { type BuiltinValue, NONE, type Value, int } from "../../values.ts";
import { type Contents, fn } from "./define.ts";

const nothing = (name: string): BuiltinValue => ({ kind: "builtin", name, call: () => NONE });

const all = (names: readonly string[]): Contents =>
  Object.fromEntries(names.map((n) => [n, nothing(n)]));

export const warnings: Contents = {
  ...all(["warn", "filterwarnings", "simplefilter", "resetwarnings"]),
  catch_warnings: fn("catch_warnings", "**", () => ({
    kind: "context",
    name: "warnings.catch_warnings()",
    effect: "none",
  })),
};

const SAYING = ["debug", "info", "warning", "warn", "error", "exception", "critical", "log"];

const LOGGER = makeClass({
  name: "Logger",
  bases: [],
  attributes: new Map<string, Value>(
    Object.entries(all([...SAYING, "setLevel", "addHandler", "removeHandler"])),
  ),
})!;

export const logging: Contents = {
  ...all([...SAYING, "basicConfig", "disable", "captureWarnings"]),
  getLogger: fn("getLogger", "name=None", (c) => ({
    kind: "instance",
    cls: LOGGER,
    attributes: new Map(),
    born: c.vm.epoch,
  })),
  Logger: LOGGER,
  DEBUG: int(10),
  INFO: int(20),
  WARNING: int(30),
  ERROR: int(40),
};
