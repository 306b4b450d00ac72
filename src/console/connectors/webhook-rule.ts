import { isObject } from "../../values/record";
import type { Document, Values } from "./form";

/** A document whose webhooks are read as the form says: by paths, with one signature at most. */
export function withWebhook(document: Document, typed: Values): Document {
  const at = (name: string): string => typed[`webhook.${name}`] ?? "";
  const webhook = isObject(document["webhook"]) ? document["webhook"] : {};
  const present: unknown[] = Array.isArray(webhook["signatures"]) ? webhook["signatures"] : [];
  const [first, ...others] = present;
  const signature = {
    ...(isObject(first) ? first : {}),
    header: at("header").toLowerCase(),
    algorithm: at("algorithm"),
    encoding: at("encoding"),
    prefix: at("prefix"),
  };
  return {
    ...document,
    webhook: {
      ...webhook,
      signatures: at("header") === "" ? others : [signature, ...others],
      extraction: extractionOf(webhook["extraction"], at),
    },
  };
}

/** What the form can't show of a rule stays; a rule that is an expression stays until something is typed in its place. */
function extractionOf(present: unknown, at: (name: string) => string): Document {
  const isPaths = isObject(present) && present["by"] === "paths";
  if (isObject(present) && !isPaths && at("objectId") === "") return present;
  const rule: Document = isPaths ? present : {};
  const pick = (member: string): Document => {
    const one = rule[member];
    const kept = isObject(one) && !("value" in one) ? one : {};
    if (at(member) !== "") return { [member]: { ...kept, path: at(member) } };
    return isObject(one) && !("path" in one) ? { [member]: one } : {};
  };
  const { list: _, objectId: __, eventType: ___, date: ____, ...others } = rule;
  return {
    ...others,
    by: "paths",
    ...(at("list") === "" ? {} : { list: at("list") }),
    ...(at("objectType") === "" ? {} : { objectType: { value: at("objectType") } }),
    ...pick("objectId"),
    ...withWords(pick("eventType"), at),
    ...pick("date"),
  };
}

/** Which words of the vendor mean created and deleted; all others mean updated, unless the rule says otherwise. */
function withWords({ eventType }: Document, at: (name: string) => string): Document {
  if (!isObject(eventType)) return {};
  const words = (text: string, type: string): [string, string][] =>
    text.split(",").flatMap((one) => (one.trim() === "" ? [] : [[one.trim(), type]]));
  const present = isObject(eventType["map"]) ? Object.entries(eventType["map"]) : [];
  const map = Object.fromEntries([
    ...present.filter(([, type]) => type === "UPDATED"),
    ...words(at("created"), "CREATED"),
    ...words(at("deleted"), "DELETED"),
  ]);
  return { eventType: { otherwise: "UPDATED", ...eventType, map } };
}
