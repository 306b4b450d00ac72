import { onTestFinished, vi } from "vitest";

/** Until what it returns is called, or the test has ended, no timer takes longer than `ms`: who would wait for long gives up soon. */
export function timersEndWithin(ms: number): () => void {
  const real = globalThis.setTimeout;
  const spy = vi
    .spyOn(globalThis, "setTimeout")
    .mockImplementation(((run: () => void, after = 0) =>
      real(run, Math.min(after, ms))) as typeof setTimeout);
  const restore = () => spy.mockRestore();
  onTestFinished(restore);
  return restore;
}
