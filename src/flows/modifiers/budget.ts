import { ModifierFault } from "./argument";

/** As much as all modifiers of one input may do together, in characters looked at. */
const MOST = 20_000_000;

/** What is left of the work that the modifiers of one input may do. */
export type Work = {
  /** @throws ModifierFault when it is used up. */
  spend: (amount: number) => void;
};

export function newWork(): Work {
  let left = MOST;
  return {
    spend(amount) {
      left -= amount;
      if (left < 0) throw new ModifierFault("The modifiers of this input take too much work");
    },
  };
}
