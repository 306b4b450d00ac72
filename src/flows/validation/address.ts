import { checkEgress, type EgressPolicy } from "../../http/egress";
import { httpMethod } from "../components";
import type { Descriptor, Fault } from "../descriptor";
import { withPlaceholders } from "../placeholder";

/** What is wrong with the addresses that are known before a flow runs: each fault names component and field. */
export function addressFaults(descriptor: Descriptor, egress: EgressPolicy): Fault[] {
  const steps = [...descriptor.values()].filter(({ type }) => httpMethod(type) !== undefined);
  return steps.flatMap(({ id, transform }) =>
    Object.entries(transform).flatMap(([inPort, senders]) =>
      Object.entries(senders).flatMap(([from, byPort]) =>
        Object.entries(byPort).flatMap(([outPort, { lambda }]) => {
          const message = addressFault(lambda["url"], egress);
          const field = `config.transform.${inPort}.${from}.${outPort}.lambda.url`;
          return message === undefined ? [] : [{ componentId: id, field, message }];
        }),
      ),
    ),
  );
}

/**
 * Why a step may not call an address, whatever its placeholders hold. An address that is not there yet, and one
 * whose scheme, host or port a placeholder tells, is for the guard to see when it is called.
 */
export function addressFault(url: unknown, egress: EgressPolicy): string | undefined {
  if (typeof url !== "string" || url.trim() === "") return undefined;
  const [one, other] = [withPlaceholders(url, "a").trim(), withPlaceholders(url, "b").trim()];
  const place = placeOf(one);
  if (one !== other && (place === undefined || place !== placeOf(other))) return undefined;
  const verdict = checkEgress(one, egress);
  return verdict.ok ? undefined : verdict.message;
}

/** All of an address that the guard looks at. */
function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, username, password, host } = new URL(url);
  return JSON.stringify([protocol, username, password, host]);
}
