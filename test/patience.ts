/** What is slow is not wrong: a machine may lose most of its time to others for half a minute. */
export const TEST_MS = 240_000;
/** How long a test waits for what must come to hold: it fails with what it saw, before its own time is up. */
export const WAIT_MS = 200_000;
/** Of `npm run test:long`. */
export const LONG_TEST_MS = 7_200_000;
/** Of the tests that kill everything, which wait for leases to run out. */
export const KILL_TEST_MS = 600_000;
export const KILL_WAIT_MS = 500_000;
