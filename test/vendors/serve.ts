import { boxEmulator } from "./box.ts";
import { startConcur } from "./concur.ts";
import { dropboxEmulator } from "./dropbox.ts";
import { hubspotEmulator } from "./hubspot.ts";
import { quickbooksEmulator } from "./quickbooks.ts";
import { serve, type ServeOptions, type Server } from "./server.ts";
import { sfdcEmulator } from "./sfdc.ts";

/**
 * The emulators as HTTP servers on a loopback port: in a test, or by hand with
 * `node test/vendors/serve.ts <vendor> [port]`.
 */

/** An emulator answers requests, wherever it runs; what else it has are its controls. */
type Emulator = { answer: Parameters<typeof serve>[0] };

/** Serves an emulator; its controls and the server's are one object. */
export async function serveVendor<T extends Emulator>(
  emulator: T,
  options: ServeOptions = {},
): Promise<T & Server> {
  return Object.assign(await serve(emulator.answer, options), emulator);
}

const vendors: Record<string, (options: ServeOptions) => Promise<Server>> = {
  box: (options) => serveVendor(boxEmulator(), options),
  concur: ({ port }) => startConcur(port === undefined ? {} : { port }),
  dropbox: (options) => serveVendor(dropboxEmulator(), options),
  hubspot: (options) => serveVendor(hubspotEmulator(), options),
  quickbooks: (options) => serveVendor(quickbooksEmulator(), options),
  sfdc: (options) => serveVendor(sfdcEmulator(), options),
};

if (import.meta.main) {
  const [, , name = "", port = "0"] = process.argv;
  const start = Object.hasOwn(vendors, name) ? vendors[name] : undefined;
  if (start === undefined) {
    console.error(`Expected one of ${Object.keys(vendors).join(", ")}, got '${name}'`);
    process.exit(2);
  }
  const { url } = await start({ port: Number(port) });
  console.log(`${name}: ${url}`);
}
