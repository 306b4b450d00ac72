import { beforeAll, describe, expect, it } from "vitest";
import { callV1 } from "../elements/build";
import { ownOrganization } from "../organization";
import { createAccounts, openBrowser, signIn } from "./build";

beforeAll(createAccounts);

describe("the audit page", () => {
  it("tells an owner who changed what, from where, what it was and what it is", async () => {
    const own = await ownOrganization();
    await callV1("PATCH", "/organization", own.authorization, { retentionDays: 3 });
    await callV1("PATCH", "/organization", own.authorization, { retentionDays: 4 });
    const owner = openBrowser();
    await owner.post("/console/sign-in", { email: own.email, password: own.password });
    const text = (await owner.get("/console/audit")).html.replaceAll(/<[^>]*>/g, "");
    expect(text).toContain("organization.update");
    expect(text).toContain("retentionDays: 3 → 4");
    expect(text).toContain("retentionDays: none → 3");
    expect(text).toContain("from an unknown address");
  });

  it("leads to older entries, and shows each once", async () => {
    const own = await ownOrganization();
    for (let days = 1; days <= 51; days += 1)
      await callV1("PATCH", "/organization", own.authorization, { retentionDays: (days % 30) + 1 });
    const owner = openBrowser();
    await owner.post("/console/sign-in", { email: own.email, password: own.password });
    const { html: text } = await owner.get("/console/audit");
    const older = /\/console\/audit\?before=\d+/.exec(text)?.[0] ?? "";
    const entries = (page: string): number => page.split("organization.update").length - 1;
    expect(entries(text)).toBe(50);
    expect(entries((await owner.get(older)).html)).toBe(1);
  });

  it("is for owners alone", async () => {
    const viewer = await signIn("vera@mine.example");
    expect((await viewer.get("/console/audit")).status).toBe(403);
    expect((await viewer.get("/console")).html).not.toContain("/console/audit");
  });
});
