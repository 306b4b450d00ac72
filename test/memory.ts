import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

const MEMORY = "/dev/shm";
const ROOM_BYTES = 4 * 2 ** 30;
const NAME = /^tributary-tests-(\d+)$/;

/** Whether Linux has a place for files in memory, with room, from which programs may run: a browser is unpacked there. */
function isGood(): boolean {
  if (!existsSync("/proc/mounts")) return false;
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const options = mounts.map((line) => line.split(" ")).find(([, place]) => place === MEMORY)?.[3];
  if (options === undefined || /\b(ro|noexec)\b/.test(options)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ROOM_BYTES;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Puts temporary files of this process and its children into memory until it ends: SQLite waits for the disk at every
 * commit, and what tests write is of no use to anybody afterwards. A killed process left its files to the next one.
 */
export function keepInMemory(): void {
  if (!isGood() || process.env["TMPDIR"]?.startsWith(MEMORY) === true) return;
  for (const name of readdirSync(MEMORY))
    if (NAME.test(name) && !isAlive(Number(NAME.exec(name)?.[1])))
      rmSync(join(MEMORY, name), { recursive: true, force: true });
  const folder = join(MEMORY, `tributary-tests-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.env["TMPDIR"] = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}
