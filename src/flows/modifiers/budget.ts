import { ModifierFault } from "./argument";

/** What all modifiers of one input may cost together, in characters looked at. */
const MOST = 20_000_000;

/** What is left for the modifiers of one input. */
export type Budget = {
  /** @throws ModifierFault when it is used up. */
  spend: (characters: number) => void;
};

export function newBudget(): Budget {
  let left = MOST;
  return {
    spend(characters) {
      left -= characters;
      if (left < 0) throw new ModifierFault("The modifiers of this input take too much work");
    },
  };
}
