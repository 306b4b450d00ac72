import * as z from "zod";

/** A dotted path into a JSON value: `Items`, `paging.next.after`; `""` is the value itself. */
export const path = z.string();
/** May hold `${key}`, replaced by the instance's configuration value `key`. */
export const template = z.string().min(1);
