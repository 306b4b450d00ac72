import * as z from "zod";
import { DEFAULT_PAGE_SIZE, type HubQuery } from "./list";
import type { Position } from "./position";

/** Query strings of the hubs API. */

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `Expected a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine(
      (value) => value >= least && value <= most,
      `Expected a whole number from ${least} to ${most}`,
    );

const querySchema = z.object({
  where: z.string().optional(),
  orderBy: z.string().optional(),
  fields: z.string().optional(),
  pageSize: whole(1, DEFAULT_PAGE_SIZE).optional(),
  page: whole(1, 100_000_000).optional(),
  nextPage: z.string().optional(),
});

export type ParsedQuery =
  | { ok: true; query: HubQuery }
  | { ok: false; field: string; message: string };

/**
 * `nextPage` wins over `page`. Unknown parameters are ignored.
 * @param readToken The position in a page token; undefined when it is none of this list.
 */
export function parseQuery(
  parameters: Readonly<Record<string, string>>,
  readToken: (token: string) => Position | undefined,
): ParsedQuery {
  const parsed = querySchema.safeParse(parameters);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = String(issue?.path[0]);
    return { ok: false, field, message: `${field}: ${issue?.message}, got '${parameters[field]}'` };
  }
  const { nextPage = "", ...rest } = parsed.data;
  const query = defined(rest);
  if (nextPage === "") return { ok: true, query };
  const position = readToken(nextPage);
  return position === undefined
    ? {
        ok: false,
        field: "nextPage",
        message: "nextPage: The token is not one that this list gave out",
      }
    : { ok: true, query: { ...query, position } };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as Defined<T>;
}
