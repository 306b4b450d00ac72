import { checkEgress, type EgressPolicy } from "../../http/egress";
import { httpMethod } from "../components";
import type { Descriptor, Fault } from "../descriptor";
import { replacePlaceholders } from "../placeholder";

/** What is wrong with the addresses that are fixed before a flow runs: each fault names component and field. */
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
 * Why a step may not call an address, whatever values its placeholders take. Filling them in twice, with "a" and
 * with "b", shows whether they decide scheme, host or port: those of `https://{{{x}}}/` do, so that only the
 * egress guard can judge the address when it is called; those of `http://10.0.0.1/{{{x}}}` don't, and this one is
 * refused here. An address that is still empty is no fault yet.
 */
export function addressFault(url: unknown, egress: EgressPolicy): string | undefined {
  if (typeof url !== "string" || url.trim() === "") return undefined;
  const filledWith = (text: string): string => replacePlaceholders(url, () => text).trim();
  const [one, other] = [filledWith("a"), filledWith("b")];
  const place = placeOf(one);
  if (one !== other && (place === undefined || place !== placeOf(other))) return undefined;
  const verdict = checkEgress(one, egress);
  return verdict.ok ? undefined : verdict.message;
}

/** The parts of an address that the egress guard looks at. */
function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, username, password, host } = new URL(url);
  return JSON.stringify([protocol, username, password, host]);
}
