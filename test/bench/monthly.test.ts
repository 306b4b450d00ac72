import { expect, it } from "vitest";
import { monthly } from "./monthly";

const [operating = ""] = Object.values(
  import.meta.glob<string>("../../.github/OPERATING.md", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);

it.each([1_000, 10_000, 100_000])(
  "OPERATING.md tells what %i instances cost a month",
  (instances) => {
    const row = operating
      .split("\n")
      .find((line) => line.startsWith(`| ${instances.toLocaleString("en-US")} |`));
    const costs = monthly(instances);
    expect(row?.split("|").slice(4, 6).map(Number)).toEqual([
      costs["USD a month"],
      costs["USD with a log line for every invocation"],
    ]);
  },
);
