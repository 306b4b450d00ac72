import { expect, it } from "vitest";
import { slowness } from "./linear.ts";

const LINEAR = [
  /^\d+(\.\d+)?$/,
  /^(?:[A-Za-z]+ )*x$/,
  /\{\{\{([^{}]+)\}\}\}/g,
  /\s+/,
  /[a-z]+(?:-[a-z]+)?/g,
  /"[^"]*"/y,
  /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/,
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  /&(?!(?:amp|#\d{1,7});)/,
  /^[\p{L}_$@][\p{L}\p{N}_$@-]*(?:\.[\p{L}_$@][\p{L}\p{N}_$@-]*)*$/u,
];

const SLOW: [expression: RegExp, reason: string][] = [
  [/<[^>]*>/g, "repeat over the same text"],
  [/\/+$/, "repeat over the same text"],
  [/"(?:[^"\\]|\\.)*"/, "repeat over the same text"],
  [/^[A-Za-z\s]*={0,2}\s*$/, "repeat over the same text"],
  [/^(\S+)\s+(.*)$/, "repeat over the same text"],
  [/^(?:a|aa)*$/, "repeat over the same text"],
  [/^(?:\w+\s?)*$/, "a loop stands in a loop"],
  [/^.*a.*b/, "repeat over the same text"],
  [/x\d{3,}y\d*z|\d+!/, "repeat over the same text"],
  [/^(?:a*)*$/, "a loop stands in a loop"],
  [/^(?:a?b?)*$/, "a loop stands in a loop"],
  [/^(a|b)\1*$/, "it refers back to a group"],
  [/^a(?!.*b)/, "it looks around without a bound"],
];

it.each(LINEAR)("%s takes linear time", (expression) => {
  expect(slowness(expression)).toBeUndefined();
});

it.each(SLOW)("%s may take longer: %s", (expression, reason) => {
  expect(slowness(expression)).toContain(reason);
});
