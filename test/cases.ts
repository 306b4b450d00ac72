import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Whether this is `npm run test:long`. */
    isLong: boolean;
    /** Whether this is `npm run contract`. */
    isRecording: boolean;
  }
}

/** How many cases are tried: so many by `npm test`, which should take minutes, and so many by `npm run test:long`. */
export const cases = (usual: number, long: number): number => (inject("isLong") ? long : usual);
