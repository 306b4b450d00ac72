/**
 * `npm run attack [-- --only roles,strangers,shapes,depth,urls,kill --round N --json FILE]`: attacks one real stack of its own, on
 * loopback only, and says what held. Exit code 1 on a hole. Phases are bounded in requests, `shapes` in time.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Outcome, Phase } from "./phase.ts";
import { shapes } from "./slow/flood.ts";
import { urls } from "./egress/attack.ts";
import { kill } from "./kill.ts";
import { depth } from "./depth.ts";
import { strangers } from "./strangers.ts";
import { roles } from "./roles.ts";
import { startArena } from "./world.ts";

const PHASES: Record<string, Phase> = { roles, strangers, shapes, depth, urls, kill };

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string" },
    round: { type: "string", default: "0" },
  },
});
const chosen = options.only?.split(",") ?? Object.keys(PHASES);
const unknown = chosen.filter((name) => !Object.hasOwn(PHASES, name));
if (unknown.length > 0) {
  console.error(`--only: Expected ${Object.keys(PHASES).join(", ")}, got '${unknown[0]}'`);
  process.exit(2);
}

const loadBefore = loadavg()[0] ?? 0;
const arena = await startArena(Number(options.round));
const report: Record<string, Outcome & { seconds: number }> = {};
try {
  for (const [name, attack] of Object.entries(PHASES)) {
    if (!chosen.includes(name)) continue;
    const start = performance.now();
    const outcome = await attack(arena);
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    report[name] = { ...outcome, seconds };
    console.log(`\n${name}: ${seconds} s, ${outcome.holes.length} holes`);
    console.table(outcome.figures);
    for (const hole of outcome.holes) console.log(`HOLE ${name}: ${hole}`);
  }
} finally {
  await arena.stop();
}
const holes = Object.values(report).reduce((sum, outcome) => sum + outcome.holes.length, 0);
const machine = { cpus: cpus().length, loadBefore, loadAfter: loadavg()[0] ?? 0 };
console.log(
  `\n${machine.cpus} cores, load ${loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after`,
);
console.log(holes === 0 ? "everything held" : `${holes} holes`);
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ machine, ...report }, null, 2)}\n`);
process.exit(holes === 0 ? 0 : 1);
