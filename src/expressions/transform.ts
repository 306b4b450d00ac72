import { parseStored } from "../values/json";
import { evaluate } from "./evaluate";

export type Transformed = { ok: true; text: string } | { ok: false; message: string };

const MOST_OUTPUT = 1024 * 1024;

/**
 * What a destination's transform makes of a notification's body. It is applied when the call is made, not when the
 * event is committed; the same body gives the same bytes at every try.
 */
export async function transformBody(
  transform: string | undefined,
  body: string,
): Promise<Transformed> {
  if (transform === undefined) return { ok: true, text: body };
  const evaluated = await evaluate(transform, parseStored(body));
  if (!evaluated.ok) return { ok: false, message: `transform: ${evaluated.message}` };
  const text = JSON.stringify(evaluated.value);
  if (text === undefined) return { ok: false, message: "transform: The expression gave nothing" };
  if (text.length > MOST_OUTPUT)
    return { ok: false, message: `transform: More than ${MOST_OUTPUT} characters` };
  return { ok: true, text };
}
