import { describe, expect, it } from "vitest";
import { slugOf } from "../../src/resources/slug";

describe("slugOf", () => {
  it.each<[string | undefined, string | undefined]>([
    ["Webhook.site listener", "webhook-site-listener"],
    ["Größe", "grosse"],
    ["GRÖẞE", "grosse"],
    ["Straße 12", "strasse-12"],
    ["Crème brûlée", "creme-brulee"],
    ["Ærøskøbing", "aeroskobing"],
    ["Łódź", "lodz"],
    ["Đorđe", "dorde"],
    ["Þingvellir", "thingvellir"],
    ["İstanbul ılık", "istanbul-ilik"],
    ["œuvre", "oeuvre"],
    ["ﬁnal", "final"],
    ["Việt Nam", "viet-nam"],
    ["Ελλάδα", "ellada"],
    ["Москва — Ярославль", "moskva-yaroslavl"],
    ["Київ", "kiiv"],
    ["Ⅷ ½", "viii-1-2"],
    ["e\u0301t\u00e9", "ete"],
    ["東京 api", "api"],
    ["東京", undefined],
    ["---", undefined],
    ["", undefined],
    [undefined, undefined],
    ["ß".repeat(300), "s".repeat(200)],
  ])("%s", (title, slug) => {
    expect(slugOf(title)).toBe(slug);
  });
});
