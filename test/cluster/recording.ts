/** A call of an object, as it was made and answered. */
export type Example = {
  /** The binding that the object was found by, and its name. */
  on: [binding: string, name: string];
  method: string;
  given: unknown[];
  answer?: unknown;
  /** When it was answered, epoch ms. */
  at: number;
};

/** What isolates asked of objects, and one message of each shape, by queue. */
export type Recording = { asked: Example[]; messages: Record<string, unknown[]> };

/** The members of a value and their kinds. */
export function shapeOf(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].toSorted().join("|")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members
    .map(([name, member]) => `${name}:${shapeOf(member)}`)
    .toSorted()
    .join()}}`;
}
