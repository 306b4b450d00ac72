import { expect, it } from "vitest";
import type { HubFailure } from "../../src/hub/answer";
import { askedToWaitUntil } from "../../src/polling/vendor-refusal";

const refusal = (change: object): HubFailure => ({
  kind: "vendor-error",
  status: 500,
  message: "Refused",
  providerMessage: "",
  ...change,
});

it.each<[string, HubFailure, number | undefined]>([
  ["waits after a 429 with a time", refusal({ status: 429, retryAt: 9 }), 9],
  ["waits after a 503 with a time", refusal({ status: 503, retryAt: 9 }), 9],
  [
    "waits after a limit the connector knows",
    refusal({ status: 403, limited: true, retryAt: 9 }),
    9,
  ],
  ["counts a 429 without a time as a failure", refusal({ status: 429 }), undefined],
  ["counts another error as a failure, whatever time it names", refusal({ retryAt: 9 }), undefined],
  ["counts an unreachable vendor as a failure", { kind: "unreachable", message: "" }, undefined],
])("%s", (_, failure, until) => {
  expect(askedToWaitUntil(failure)).toBe(until);
});
