/** How grave findings are to whoever looks at them. */
import type { Diagnostic } from "../report/schema.ts";

/** By code, where it differs from the rules' own. */
export type Severities = Readonly<Record<string, Diagnostic["severity"] | "off">>;

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
