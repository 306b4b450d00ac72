import { waitUntil } from "cloudflare:workers";
import type { Instance } from "../../instances/instance";
import { budgetOf, type RateSlots } from "./limit";

/** A person's call of the vendor goes at once; it is counted, and the polls make room for it afterwards. */
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
