/** What an Authorization header says, before anybody believes it. */
export type Credentials =
  | { kind: "none" }
  | { kind: "secrets"; user: string; organization: string | undefined; element: string | undefined }
  | { kind: "bearer"; token: string }
  | { kind: "basic"; username: string; password: string }
  | { kind: "malformed"; message: string };

/**
 * `User <secret>, Organization <secret>[, Element <token>]` in any order and case
 * (reference connector-events-api.md §1), `Bearer <key>`, or `Basic …`.
 */
export function parseAuthorization(header: string | undefined): Credentials {
  const text = header?.trim() ?? "";
  if (text === "") return { kind: "none" };
  const [scheme, value] = splitOnce(text);
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value === ""
        ? malformed("Expected a token after 'Bearer'")
        : { kind: "bearer", token: value };
    case "basic":
      return parseBasic(value);
    default:
      return parseSecrets(text);
  }
}

function parseSecrets(text: string): Credentials {
  const found: { user?: string; organization?: string; element?: string } = {};
  for (const part of text.split(",")) {
    const [scheme, value] = splitOnce(part.trim());
    const name = scheme.toLowerCase();
    if (name !== "user" && name !== "organization" && name !== "element")
      return malformed(
        `Authorization scheme '${scheme}' is not one of User, Organization, Element, Bearer`,
      );
    if (value === "") return malformed(`Expected a secret after '${scheme}'`);
    if (found[name] !== undefined)
      return malformed(`Authorization scheme '${scheme}' is given twice`);
    found[name] = value;
  }
  if (found.user === undefined)
    return malformed("Expected a 'User' secret in the Authorization header");
  return {
    kind: "secrets",
    user: found.user,
    organization: found.organization,
    element: found.element,
  };
}

function parseBasic(value: string): Credentials {
  const bytes = Buffer.from(value, "base64").toString("utf8");
  const colon = bytes.indexOf(":");
  return colon === -1
    ? malformed("Expected base64 of 'name:password' after 'Basic'")
    : { kind: "basic", username: bytes.slice(0, colon), password: bytes.slice(colon + 1) };
}

function splitOnce(text: string): [string, string] {
  const space = text.search(/\s/);
  return space === -1 ? [text, ""] : [text.slice(0, space), text.slice(space).trim()];
}

function malformed(message: string): Credentials {
  return { kind: "malformed", message };
}
