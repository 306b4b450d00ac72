import type { z } from "zod";
import type { Violation } from "./refusal";

type Issue = { path: PropertyKey[]; message: string };

/** What is wrong inside a union: the fault of that shape which has fewest, and lies deepest. */
function innermost(issue: z.core.$ZodIssue | undefined): Issue | undefined {
  if (issue?.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    return { path: [...issue.path, key], message: "This field is unknown here" };
  }
  if (issue?.code !== "invalid_union") return issue;
  const likeliest = likeliestOf(issue);
  if (likeliest === undefined) return issue;
  const { path, message } = likeliest.first;
  return { path: [...issue.path, ...path], message };
}

/** Of a union's shapes the one that was most likely meant, with its first fault; undefined: none of them. */
function likeliestOf(issue: z.core.$ZodIssueInvalidUnion) {
  const [likeliest] = issue.errors
    .flatMap((issues) => {
      const first = innermost(issues[0]);
      return first === undefined ? [] : { issues, first };
    })
    .toSorted(
      (a, b) => a.issues.length - b.issues.length || b.first.path.length - a.first.path.length,
    );
  return likeliest === undefined || likeliest.first.path.length === 0 ? undefined : likeliest;
}

function allOf(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: "This field is unknown here",
    }));
  const likeliest = issue.code === "invalid_union" ? likeliestOf(issue) : undefined;
  if (likeliest === undefined) return [issue];
  return likeliest.issues
    .flatMap(allOf)
    .map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

const named = ({ path, message }: Issue): Violation => ({
  field: path.map(String).join("."),
  message,
});

/** The first thing that is wrong with a value. */
export const firstFault = (error: z.core.$ZodError): Violation =>
  named(innermost(error.issues[0]) ?? { path: [], message: "Invalid value" });

/** Everything that is wrong with a value, each by the dotted path of its member. */
export const faultsOf = (error: z.core.$ZodError): Violation[] =>
  error.issues.flatMap(allOf).map(named);
