/** Whether the choice of autodiff library matters: by running several, or one beside the derivation. */
import { countWords, number } from "../../gradient/nodeWords.ts";
import { type Agreement, type Claim, type ClaimFacts, list, runWords } from "./claim.ts";
import { conventionsIn, slopesWords } from "./kinks.ts";

const LIBRARY = "The choice of autodiff library matters.";

export function library(facts: ClaimFacts): Claim {
  const { measured, runs, agreements, libraries, askAutograd } = facts;
  const kinks = conventionsIn(measured.subject, facts.watch);
  const active = kinks.filter((k) => k.entries > 0);
  const lines = [...new Set(active.flatMap((k) => k.lines))];
  const made = (
    verdict: Claim["verdict"],
    sentence: string,
    evidence: readonly string[],
    needs: string | null,
  ): Claim => ({ id: "library", claim: LIBRARY, verdict, sentence, evidence, needs, lines });
  const conventions = kinks.map(
    (k) =>
      `At ${k.convention.what} the slope is a convention (${slopesWords(k.convention)}): ${k.entries === 0 ? "no entry sits there on these arrays" : `${countWords(k.entries)} ${k.entries === 1 ? "entry sits" : "entries sit"} there on these arrays`} (${k.words}).`,
  );
  if (kinks.length === 0) {
    conventions.push(
      "The loss has no kink at which libraries have different conventions (absolute values, clamps, maxima), so its derivative is one function.",
    );
  }
  const pairs = agreements.map(agreementWords);
  const ran = runs.filter((r) => r.failure === null);
  const evidence = [...ran.map(runWords), ...pairs, ...conventions];
  for (const r of runs) if (r.failure !== null) evidence.push(runWords(r));
  const onKinks = countWords(active.reduce((n, k) => n + k.entries, 0));
  const kinksWords = `an entry sits exactly on a kink, as ${onKinks} do here: there the libraries' conventions differ`;
  const asked = new Set(ran.map((r) => r.library));
  const apart = ran.some((r) => r.agrees === false);
  if (asked.size >= 2) {
    if (apart && active.length > 0) return made("true-only-when", kinksWords, evidence, null);
    if (apart) {
      return made("true", "the libraries' gradients differ by more than rounding", evidence, null);
    }
    const ulps = Math.max(0, ...agreements.map((a) => a.maxUlps));
    return made(
      "false",
      `${list(ran.map((r) => r.name))} give your gradient to within rounding${agreements.length === 0 ? "" : ulps === 0 ? ", bit for bit" : `, at most ${number(ulps)} units in the last place apart`}`,
      evidence,
      null,
    );
  }
  const [only] = ran;
  const others = libraries.filter((name) => !asked.has(name));
  if (only !== undefined && others.length === 0 && ran.every((r) => r.agrees !== null)) {
    // The derivation is a second differentiation of the same function, made without any library.
    if (active.length > 0) return made("true-only-when", kinksWords, evidence, null);
    if (apart) {
      return made(
        "true",
        `${list(ran.filter((r) => r.agrees === false).map((r) => r.name))} gives something else than the derivative, which was derived here without a library; no other library can run this function`,
        evidence,
        null,
      );
    }
    const ulps = Math.max(0, ...ran.map((r) => r.maxUlps ?? 0));
    const distance =
      ulps === 0 ? "bit for bit" : `at most ${number(ulps)} units in the last place off`;
    return made(
      "false",
      `${list(ran.map((r) => r.name))} ${ran.length === 1 ? "gives" : "give"} the derivative, which was derived here without a library, to within rounding (${distance}). No other library can run this function, but one that is right would give the same`,
      evidence,
      null,
    );
  }
  const needs =
    only !== undefined
      ? `A run of the same function in a second library${others.length === 0 ? "" : `: ${list(others)} can differentiate it too`}.`
      : `${askAutograd}: two libraries that differentiate the same function settle it.`;
  const whole =
    active.length > 0
      ? `${onKinks} entries sit on a kink, where the libraries' conventions differ`
      : "no entry sits on a kink, so every library that is right gives the derived gradient to within rounding";
  return made(
    "not-settled",
    `${only !== undefined ? `only ${only.name} was run` : "no library was run"}; ${whole}`,
    evidence,
    needs,
  );
}

function agreementWords(a: Agreement): string {
  const same =
    a.identical === a.entries
      ? `are the same bit for bit in ${a.dtype}`
      : `are at most ${number(a.maxUlps)} units in the last place of ${a.dtype} apart (${number(a.maxAbs)}); ${countWords(a.identical)} of ${countWords(a.entries)} entries are the same bit for bit`;
  return `The gradients of ${a.a} and ${a.b} ${same}.`;
}
