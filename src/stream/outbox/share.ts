/** How much of `room` two claimants get: half each, and what the other leaves. */
export function shares(first: number, second: number, room: number): [number, number] {
  const one = Math.min(first, Math.max(Math.ceil(room / 2), room - second));
  return [one, Math.min(second, room - one)];
}
