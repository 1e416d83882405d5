/**
 * A long run of damaged files through every reader of arrays.
 *
 *   npx tsx test/fuzz/arrays.ts [cases=1000000] [seed=1] [.pt,.h5]
 *
 * The endings at last are those that are damaged; all without them. Prints what was read and what was refused by format, the slowest case and the most memory; ends with
 * code 1 at the first case that does anything else, after writing its bytes to fuzz-failure-NAME.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byEnding, sourceWithNeighbours } from "./corpus.ts";
import { damagedCopy, randomOf } from "./mutations.ts";
import { allocatingAtMost, justified, survives } from "./survival.ts";

const cases = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const random = randomOf(seed);
const wanted = process.argv[4]?.split(",");
const endings = [...byEnding.keys()].filter((ending) => wanted?.includes(ending) ?? true);
const read = new Map(endings.map((ending) => [ending, 0]));
const refused = new Map(endings.map((ending) => [ending, 0]));
let slowest = { ms: 0, label: "" };
let memory = 0;
const started = performance.now();

for (let run = 0; run < cases; run += 1) {
  // Each format as often as another, however many golden files it has.
  const ending = endings[run % endings.length]!;
  const files = byEnding.get(ending)!;
  const [name, original] = files[Math.floor(random() * files.length)]!;
  const bytes = damagedCopy(name, original, random);
  const limit = justified(name, bytes.length);
  const before = performance.now();
  try {
    const whole = allocatingAtMost(limit, () => survives(name, sourceWithNeighbours(bytes), limit));
    const counts = whole ? read : refused;
    counts.set(ending, counts.get(ending)! + 1);
  } catch (error) {
    const path = join(tmpdir(), `fuzz-failure-${name}`);
    writeFileSync(path, bytes);
    console.error(`case ${String(run)} of seed ${String(seed)}, kept as ${path}:`, error);
    process.exit(1);
  }
  const ms = performance.now() - before;
  if (ms > slowest.ms) slowest = { ms, label: `${name}, case ${String(run)}` };
  if (run % 1000 === 0) memory = Math.max(memory, process.memoryUsage.rss());
}

for (const ending of endings) {
  console.log(
    `${ending.padEnd(13)} ${String(read.get(ending)).padStart(8)} read ${String(refused.get(ending)).padStart(8)} refused`,
  );
}
const seconds = (performance.now() - started) / 1000;
console.log(
  `${String(cases)} cases, seed ${String(seed)}, ${seconds.toFixed(0)} s; slowest ${slowest.ms.toFixed(0)} ms (${slowest.label}); at most ${(memory / 2 ** 20).toFixed(0)} MiB of memory`,
);
