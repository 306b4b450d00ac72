import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { createClient } from "../../src/sdk/client.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import type { Server } from "../vendors/server.ts";
import { startExample } from "./example/serve.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

let stack: Platform;
let receiver: Receiver;
let example: Server;
let browser: Browser;

beforeAll(async () => {
  [stack, receiver, example] = await Promise.all([sharedStack(), startReceiver(), startExample()]);
  browser = await chromium.launch({
    executablePath: await sparticuz.executablePath(),
    args: sparticuz.args,
    headless: true,
  });
});
afterAll(async () => {
  await browser.close();
  await Promise.all([receiver.close(), example.close()]);
});

describe("the example page", () => {
  it("signs a virtual user in, activates a template and fires an event that a receiver gets mapped", async () => {
    const designer = createClient({ baseUrl: stack.baseUrl });
    await designer.signIn(stack.local.email, stack.local.password);
    await designer.flows.create({
      name: "Welcome mail",
      type: "integration-template",
      sharedWith: [{ scope: "user", permissions: ["read", "start", "stop"] }],
      flow: {
        T: {
          type: "appmixer.utils.appevents.OnAppEvent",
          source: {},
          config: {
            properties: {
              event: "contact-created",
              eventDataExample: '{"email":"a@b","fname":"A","lname":"B"}',
            },
          },
        },
        P: {
          type: "appmixer.utils.http.Post",
          source: { in: { T: ["out"] } },
          config: {
            transform: {
              in: {
                T: {
                  out: {
                    type: "json2new",
                    modifiers: {
                      body: {
                        m1: { variable: "$.T.out.data.email", functions: [] },
                        m2: {
                          variable: "$.T.out.data.fname",
                          functions: [{ name: "g_uppercase" }],
                        },
                      },
                    },
                    lambda: {
                      url: `${receiver.url}/welcome`,
                      body: { to: "{{{m1}}}", text: "Hello {{{m2}}} {{{$.T.out.data.lname}}}" },
                    },
                  },
                },
              },
            },
          },
        },
      },
    });

    const page = await browser.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    const query = new URLSearchParams({
      api: stack.baseUrl,
      user: "user-1@yourapp.com",
      password: "a-random-password",
    });
    await page.goto(`${example.url}/page.html?${query.toString()}`);
    await page.getByRole("button", { name: "Activate Welcome mail" }).click();
    await page.getByRole("button", { name: "Welcome mail is active" }).waitFor();
    await page.getByPlaceholder("Email").fill("david@example.com");
    await page.getByPlaceholder("First name").fill("David");
    await page.getByPlaceholder("Last name").fill("Doe");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("Welcome David (1 started)").waitFor();
    expect(await page.locator("#error").textContent()).toBe("");
    expect(faults).toEqual([]);

    await receiver.waitFor(1);
    expect(receiver.deliveries[0]?.body).toEqual({
      to: "david@example.com",
      text: "Hello DAVID Doe",
    });

    await page.reload();
    await page.getByRole("button", { name: "Welcome mail is active" }).waitFor();
  });
});
