/** A file of a multipart form: its text, or its bytes in base64 if they are none. */
export type FormFile = { filename: string; type: string } & ({ text: string } | { base64: string });
export type Field = string | FormFile;
/** A form's fields by name: a list where a name comes more than once. */
export type Fields = Record<string, Field | Field[]>;

/** Collects fields in their order; linear in their number. */
export function collect(pairs: Iterable<readonly [string, Field]>): Fields {
  const fields = new Map<string, Field | Field[]>();
  for (const [name, value] of pairs) {
    const before = fields.get(name);
    if (before === undefined) fields.set(name, value);
    else if (Array.isArray(before)) before.push(value);
    else fields.set(name, [before, value]);
  }
  // Makes a member of every name, `__proto__` too.
  return Object.fromEntries(fields);
}
