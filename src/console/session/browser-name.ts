/** What is in a browser's `User-Agent`, before what only claims to be compatible with it. */
const BROWSERS = [
  ["Edge", /Edg\/(\d{1,4})/],
  ["Opera", /OPR\/(\d{1,4})/],
  ["Firefox", /Firefox\/(\d{1,4})/],
  ["Chrome", /Chrome\/(\d{1,4})/],
  ["Safari", /Version\/(\d{1,4})/],
] as const;
const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;

/** A `User-Agent` as people call it: `Firefox 140 on macOS`; of programs as it is. */
export function browserName(userAgent: string): string {
  if (userAgent === "") return "unknown";
  for (const [name, version] of BROWSERS) {
    const [, number] = version.exec(userAgent) ?? [];
    if (number === undefined) continue;
    const system = SYSTEMS.find(([words]) => userAgent.includes(words));
    return `${name} ${number}${system === undefined ? "" : ` on ${system[1]}`}`;
  }
  return userAgent;
}
