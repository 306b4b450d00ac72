/** What a vendor sends back with somebody who consented, or didn't. */
export const BROUGHT = ["code", "state", "realmId", "error", "error_description"] as const;

/** The same, as it is read. `refusal`: why there is no code, if the vendor says so. */
export function readBrought(form: URLSearchParams): {
  state: string;
  code: string | undefined;
  realmId: string | undefined;
  refusal: string | undefined;
} {
  const given = (name: (typeof BROUGHT)[number]): string | undefined => form.get(name) ?? undefined;
  return {
    state: given("state") ?? "",
    code: given("code"),
    realmId: given("realmId"),
    refusal: given("error_description") ?? given("error"),
  };
}

/** Why somebody came back without consent, for people. */
export const noConsent = (name: string, refusal: string | undefined): string =>
  `${name} gave no consent${refusal === undefined ? "" : `: ${refusal}`}.`;

/** What the state of a consent begins with that people of a tenant give: they come back to the page that sent them off. */
export const VISITORS_STATE = "connect-";
