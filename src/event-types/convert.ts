import { type Evaluated, evaluate } from "../expressions/evaluate";
import type { EventType } from "./event-type";

/**
 * An event's data as an older version of its type has it: each version between has a conversion from the next one, or is
 * like it. Data of that version, or of an older one, stays as it is.
 * @param version of the data; absent: the type's.
 */
export async function convert(
  { conversions, version: latest }: Pick<EventType, "conversions" | "version">,
  data: unknown,
  toVersion: number,
  version = latest,
): Promise<Evaluated> {
  let value = data;
  for (let older = version - 1; older >= toVersion; older -= 1) {
    const expression = conversions[older];
    if (expression === undefined) continue;
    const made = await evaluate(expression, value);
    if (!made.ok) return { ok: false, message: `Conversion to version ${older}: ${made.message}` };
    if (made.value === undefined)
      return { ok: false, message: `Conversion to version ${older}: The expression gave nothing` };
    value = made.value;
  }
  return { ok: true, value };
}
