/** The arguments of `dice-gradient lint`. */
import { RULE_CODES } from "../session/lint.ts";
import { SEVERITIES, type Severities } from "../session/severities.ts";
import { UsageError } from "./arguments.ts";

export interface LintOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly format: "text" | "json" | "sarif";
  readonly severities: Severities;
  /** Interpreter whose installed packages are read; null: the active one. */
  readonly python: string | null;
  /** Also tells which losses could not be traced, and why. */
  readonly verbose: boolean;
}

/** @throws UsageError */
export function parseLint(argv: readonly string[]): LintOptions {
  const paths: string[] = [];
  const severities: Record<string, Severities[string]> = {};
  let format: LintOptions["format"] = "text";
  let python: string | null = null;
  let verbose = false;
  for (let k = 0; k < argv.length; k++) {
    const [, option, given] = /^(--[a-z]+)(?:=(.*))?$/s.exec(argv[k]!) ?? [];
    const value = (): string => {
      const text = given ?? argv[++k];
      if (text === undefined) throw new UsageError(`${option!} needs a value`);
      return text;
    };
    switch (option) {
      case undefined:
        if (argv[k]!.startsWith("-")) throw new UsageError(`there is no option ${argv[k]!}`);
        paths.push(argv[k]!);
        break;
      case "--format": {
        const name = value();
        if (name !== "text" && name !== "json" && name !== "sarif")
          throw new UsageError(`--format is text, json or sarif, not ${name}`);
        format = name;
        break;
      }
      case "--ignore":
        for (const code of codes(value())) severities[code] = "off";
        break;
      case "--severity": {
        const [code = "", severity = ""] = value().split("=");
        const known = SEVERITIES.find((s) => s === severity);
        if (known === undefined)
          throw new UsageError(`--severity is CODE=${SEVERITIES.join("|")}, e.g. DG004=off`);
        severities[codes(code)[0]!] = known;
        break;
      }
      case "--python":
        python = value();
        break;
      case "--verbose":
        verbose = true;
        break;
      default:
        throw new UsageError(`lint has no option ${option}`);
    }
  }
  if (paths.length === 0) throw new UsageError("lint needs a file or folder");
  return { paths, format, severities, python, verbose };
}

function codes(text: string): string[] {
  return text.split(",").map((code) => {
    if (RULE_CODES.includes(code)) return code;
    throw new UsageError(`there is no rule ${code}, but ${RULE_CODES.join(", ")}`);
  });
}
