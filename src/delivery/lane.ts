/**
 * The lane that a delivery queue belongs to, by its name: `…-slow`, or `…-slow-2` where a lane has several queues, is
 * slow.
 */
export const laneOf = (queue: string): "fast" | "slow" =>
  /-slow(?:-\d+)?$/.test(queue) ? "slow" : "fast";
