/** Divides `room` between two waiting lines of these lengths: half each, and what one does not use goes to the other. */
export function shares(first: number, second: number, room: number): [number, number] {
  const one = Math.min(first, Math.max(Math.ceil(room / 2), room - second));
  return [one, Math.min(second, room - one)];
}
