import type { Connector } from "../../connectors/definition";

/** How a connector is set up at its vendor: the application or key that it needs, and where its webhooks are switched on. */
export type Guide = { account: string[]; webhooks: string[] };

/** @param back Where the vendor sends people back who consented. */
export function guideOf(connector: Connector, back: string): Guide {
  const known = Object.hasOwn(GUIDES, connector.key) ? GUIDES[connector.key] : undefined;
  return known?.(back) ?? ofDefinition(connector, back);
}

const GUIDES: Record<string, (back: string) => Guide> = {
  sandbox: () => ({
    account: ["`npm start` prints the key of the demo's CRM and the address where it listens."],
    webhooks: [],
  }),
  box: (back) => ({
    account: [
      "In the Box developer console, create a custom app with user authentication (OAuth 2.0).",
      `Enter \`${back}\` as its redirect URI, and allow it to write all files and to manage webhooks.`,
      "Copy its client id and client secret from Configuration.",
    ],
    webhooks: [
      "Webhooks are made for you, for each file and folder that you list by its id, such as `folder:1234`.",
      "In the app's Webhooks tab, make a primary signature key under Manage signature keys, and copy it.",
    ],
  }),
  concur: (back) => ({
    account: [
      "Ask SAP Concur for an application with the scope EXPRPT, and have it accept the redirect URI below.",
      `The redirect URI is \`${back}\`.`,
      "Whoever consents must be a Web Services Administrator, so that the reports of all users are read.",
    ],
    webhooks: [
      "SAP switches the Event Subscription Service on for an application. Subscribe it to `public.concur.expense.report`, with the instance's address as its endpoint.",
      "Enter the company id, and SAP's public key as the signature key.",
    ],
  }),
  dropbox: (back) => ({
    account: [
      "In the Dropbox App Console, create a scoped app.",
      `Enter \`${back}\` as its redirect URI, and permit files.metadata.read, files.content.read and account_info.read.`,
      "Copy its app key and app secret.",
    ],
    webhooks: [
      "In the App Console, add the app-wide address below as a webhook URI. Dropbox checks it at once.",
      "Dropbox signs with the app secret, so no further key is needed.",
    ],
  }),
  github: () => ({
    account: [
      "Make a personal access token that may read the issues of the repository.",
      "Owner and repository are the two parts of its address: github.com/owner/repository.",
    ],
    webhooks: [
      "In the repository's settings, add a webhook with the instance's address and content type application/json.",
      "Choose the event Issues, and enter the same secret there and here as the signature key.",
    ],
  }),
  hubspot,
  hubspotcrm: hubspot,
  quickbooks: (back) => ({
    account: [
      "In the Intuit developer portal, create an app with the scope com.intuit.quickbooks.accounting.",
      `Enter \`${back}\` as its redirect URI, and copy client id and client secret.`,
    ],
    webhooks: [
      "In the app's Webhooks settings, enter the app-wide address below and choose the entities.",
      "Copy the verifier token: it is the signature key.",
    ],
  }),
  sfdc: (back) => ({
    account: [
      "In Salesforce Setup, create a connected app (or external client app) with OAuth and the scopes api and refresh_token.",
      `Enter \`${back}\` as its callback URL, and copy consumer key and consumer secret.`,
    ],
    webhooks: [
      "In Setup, make an outbound message for the object, with the instance's address as its endpoint.",
      "Salesforce does not sign: the token in that address proves the message, so keep it secret.",
    ],
  }),
};

function hubspot(back: string): Guide {
  return {
    account: [
      "Make a private app in HubSpot and copy its token; or, for many customers, a public app.",
      `A public app needs \`${back}\` as its redirect URL, and its client id and client secret here.`,
    ],
    webhooks: [
      "In the app's Webhooks settings, enter the app-wide address below as target URL and subscribe to the objects.",
      "HubSpot signs with the client secret; enter it as the signature key if you connect by a private app.",
    ],
  };
}

/** What an organization's own connector tells by itself. */
function ofDefinition({ name, authentication, webhook }: Connector, back: string): Guide {
  const account =
    authentication.type === "oauth2"
      ? [`Register an OAuth application at ${name} with \`${back}\` as its redirect URI.`]
      : [`Get the credentials below from ${name}.`];
  if (webhook === undefined) return { account, webhooks: [] };
  const proof =
    webhook.signatures.length === 0
      ? "The token in that address proves them, so keep it secret."
      : `Enter the key that ${name} signs with as the signature key.`;
  const address = `Have ${name} send its webhooks to the instance's address, which is shown once it is made.`;
  return { account, webhooks: [address, proof] };
}
