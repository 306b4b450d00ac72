import { LINES } from "../accounts/judge.ts";

/** What whoever may do it would end the attack with: `operations/organizations.test.ts` looks at who may. */
const ENDS_ALL = new Set(["DELETE /v1/organizations/:id"]);

/** The routes that are asked for with credentials that open them. */
export const ATTACKED = LINES.filter(([line]) => !ENDS_ALL.has(line));
