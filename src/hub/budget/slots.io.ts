import { waitUntil } from "cloudflare:workers";
import type { Instance } from "../../instances/instance";
import { budgetOf, type RateSlots } from "./limit";

/** For a person's request: it goes at once, and is counted, so that polls wait a little longer afterwards. */
export function countingSlots(
  instance: Instance,
  budgets: Env["VENDOR_BUDGETS"],
): RateSlots | undefined {
  const budget = budgetOf(instance);
  if (budget === undefined) return undefined;
  const { name, account, ratePerSecond } = budget;
  const object = budgets.getByName(name);
  const unheard = (): undefined => undefined;
  return {
    async take() {
      if (ratePerSecond !== undefined)
        waitUntil(object.spend(account, ratePerSecond).then(unheard, unheard));
      return { kind: "go" };
    },
    async refused(until) {
      waitUntil(object.pause(account, until).then(unheard, unheard));
    },
  };
}
