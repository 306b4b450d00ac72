import * as z from "zod";
import { jsonVariable } from "./json-variable.ts";

const ORGANIZATION = "Expected the id of an organization";

/** Queues of applications whose messages are published, each with the id of the organization that does: `{"orders":1}` as JSON text. */
export const publishQueues = jsonVariable(
  z
    .record(z.string(), z.int(ORGANIZATION).positive(ORGANIZATION))
    .refine(
      (all) => !Object.keys(all).some((name) => name.startsWith("tributary-")),
      "Expected queues of the application's own, none of ours",
    ),
).transform((all): ReadonlyMap<string, number> => new Map(Object.entries(all)));
