import type { Tenant } from "../../accounts/tenants/tenant";
import { parsedJson } from "../../values/json";

/** What is typed of a tenant. */
export type Typed = { name: string; rate: string; retentionDays: string; metadata: string };
export const NOTHING = { id: "", name: "", rate: "", retentionDays: "", metadata: "" };

/** The field of the form in which each member of a tenant is typed. */
export const FIELDS = {
  id: "id",
  name: "name",
  rate: "rate",
  retentionDays: "retentionDays",
  metadata: "metadata",
};

export const typedOf = ({ name, rate, retentionDays, metadata }: Tenant): Typed => ({
  name,
  rate: rate === null ? "" : String(rate),
  retentionDays: retentionDays === null ? "" : String(retentionDays),
  metadata: Object.keys(metadata).length === 0 ? "" : JSON.stringify(metadata, null, 2),
});

export function typedIn(form: URLSearchParams): Typed {
  const text = (name: keyof Typed): string => (form.get(name) ?? "").trim();
  return {
    name: text("name"),
    rate: text("rate"),
    retentionDays: text("retentionDays"),
    metadata: text("metadata"),
  };
}

/** What was typed, as `/v1` takes it; what is no number or JSON is refused as what it is. */
export const changeOf = ({ name, rate, retentionDays, metadata }: Typed) => ({
  name,
  rate: numberOf(rate),
  retentionDays: numberOf(retentionDays),
  metadata: metadata === "" ? {} : (parsedJson(metadata)?.value ?? metadata),
});

const numberOf = (text: string): number | string | null => {
  if (text === "") return null;
  return /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : text;
};
