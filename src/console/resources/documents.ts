import { parsedJson } from "../../values/json";
import type { ScopeName } from "../../resources/address";

/** What forms say of a resource, as the document that its surface takes. */

type Form = Pick<URLSearchParams, "get" | "getAll" | "has">;
type Document = Record<string, unknown>;

/** So many values of a Secret, and triggers of a hook, can be typed at once; the JSON takes any number. */
export const ROWS = 4;
export const TYPES = ["created", "updated", "deleted"] as const;

/** Kinds with a form of their own. */
export function documentOf(
  kind: string,
  form: Form,
  scope: ScopeName | null,
): Document | undefined {
  switch (kind) {
    case "Webhook":
      return { ...headOf(form), spec: webhookOf(form) };
    case "Secret":
      return { ...headOf(form), spec: { data: valuesOf(form) } };
    case "ResourceHook":
      return { ...headOf(form), spec: hookOf(form, scope) };
    case "Environment":
    case "Integration":
      return { ...headOf(form), spec: given("description", text(form, "description")) };
    default:
      return undefined;
  }
}

const text = (form: Form, name: string): string => (form.get(name) ?? "").trim();
const given = (name: string, value: string): Document => (value === "" ? {} : { [name]: value });

const headOf = (form: Form): Document => ({
  ...given("name", text(form, "name")),
  ...given("title", text(form, "title")),
});

function webhookOf(form: Form): Document {
  const headers = text(form, "headers");
  const secret = text(form, "secret");
  return {
    url: text(form, "url"),
    ...(headers === "" ? {} : { headers: parsedJson(headers)?.value ?? headers }),
    ...(secret === "" ? {} : { auth: { secret: { name: secret, key: text(form, "key") } } }),
  };
}

function valuesOf(form: Form): Document {
  const rows = Array.from({ length: ROWS }, (_, row) => [
    text(form, `key-${row}`),
    form.get(`value-${row}`) ?? "",
  ]);
  return Object.fromEntries(rows.filter(([key]) => key !== ""));
}

/** What a hook waits for, and which webhooks it calls. */
export const hookOf = (form: Form, scope: ScopeName | null): Document => ({
  triggers: Array.from({ length: ROWS }, (_, row) => row).flatMap((row) =>
    triggerOf(form, row, scope),
  ),
  webhooks: form.getAll("webhook").filter((name) => name !== ""),
});

function triggerOf(form: Form, row: number, scope: ScopeName | null): Document[] {
  const [group = "", kind = ""] = text(form, `kind-${row}`).split("/");
  if (kind === "") return [];
  const isHere = scope !== null && form.get(`where-${row}`) !== "anywhere";
  return [
    {
      group,
      kind,
      name: text(form, `name-${row}`) || "*",
      type: TYPES.filter((type) => form.get(`${type}-${row}`) === "yes"),
      ...(isHere ? { scope } : {}),
    },
  ];
}
