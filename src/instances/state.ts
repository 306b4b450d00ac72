import { hidden, type State } from "../accounts/audited-values";
import { isSealedKey } from "./entries";
import type { Instance } from "./instance";

/** What the audit log compares of an instance: secrets show only that they were changed. */
export function stateOf(instance: Instance): State {
  const { connector, name, tags, disabled, valid, pollerDisabled, configuration } = instance;
  return {
    name,
    tags,
    disabled,
    valid,
    pollerDisabled: pollerDisabled !== null,
    configuration: Object.fromEntries(
      Object.entries(configuration).map(([key, value]) => [
        key,
        isSealedKey(connector, key) ? hidden(value) : value,
      ]),
    ),
  };
}
