import { type Context, Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../../http/body";
import { conflict, notFound } from "../../http/refusal";
import { described } from "../../http/route-description";
import { type AskerEnv, withKey } from "../asker.io";
import { foldEmail } from "../email";
import { noteVerified } from "./store";
import { numericId } from "../../values/whole-number";

const BODY_BYTES = 4 * 1024;
const address = z.strictObject({
  email: z.string().trim().min(1, "Expected an e-mail address").max(256),
});

const SHOWN = { id: "7", email: "ada@acme.example", emailVerified: true };

/** Whose address is known to be theirs: what flows are shared by (reference app-events-api.md §2). */
export const verifiedEmailRoutes = new Hono<AskerEnv>()
  .use("/users/:id/verified-email", withKey("write"))
  .put(
    "/users/:id/verified-email",
    described("Vouch that a user's e-mail address is theirs", {
      tag: "operations",
      body: address,
      bodyExample: { email: SHOWN.email },
      answer: SHOWN,
    }),
    async (c) => {
      const input = parse(address, await readJson(c, BODY_BYTES));
      const email = await note(c, foldEmail(input.email), Date.now());
      if (foldEmail(email) !== foldEmail(input.email))
        throw conflict(`'${input.email}' is not the address of this user`, "email");
      return c.json({ id: c.req.param("id"), email, emailVerified: true });
    },
  )
  .delete(
    "/users/:id/verified-email",
    described("Vouch for a user's e-mail address no longer", {
      tag: "operations",
      answer: { ...SHOWN, emailVerified: false },
    }),
    async (c) => {
      const email = await note(c, undefined, null);
      return c.json({ id: c.req.param("id"), email, emailVerified: false });
    },
  );

/** @returns the user's address. @throws Refusal `not-found`. */
async function note(
  c: Context<AskerEnv>,
  folded: string | undefined,
  at: number | null,
): Promise<string> {
  const text = c.req.param("id") ?? "";
  const { organizationId } = c.var.asker;
  const id = numericId(text);
  const email =
    id === undefined ? undefined : await noteVerified(c.env.DB, { organizationId, id }, folded, at);
  if (email === undefined) throw notFound(`No user '${text}'`);
  return email;
}
