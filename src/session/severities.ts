/** How grave findings are to whoever looks at them. */
import type { Diagnostic } from "../report/schema.ts";

/** What a rule's findings can be set to. */
export const SEVERITIES = ["error", "warning", "information", "off"] as const;

/** By code, where it differs from the rules' own. */
export type Severities = Readonly<Record<string, (typeof SEVERITIES)[number]>>;

/** The findings with the severities that somebody has set; what is off is left out. */
export function withSeverities<T extends Diagnostic>(
  findings: readonly T[],
  severities: Severities,
): T[] {
  return findings.flatMap((f) => {
    const severity = severities[f.code] ?? f.severity;
    return severity === "off" ? [] : [{ ...f, severity }];
  });
}
