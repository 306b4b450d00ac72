import { describe, expect, it } from "vitest";
import { readXml, textOfElement } from "../../src/connectors/xml";

const HEAD = 64 * 1024;
const filler = (size: number): string => "<f>1</f>".repeat(size / 8);

describe("the text of an element, read before anybody proved who sent it", () => {
  it.each<[text: string, found: string | undefined]>([
    ["<e><Id>a</Id></e>", "a"],
    ["<e><sf:Id>a</sf:Id><Id>b</Id></e>", "a"],
    ["<e><Id x='1'> a\n</Id></e>", "a"],
    ["<e><Id><![CDATA[a]]></Id></e>", "a"],
    ["<e><Id></Id><Id>two words</Id><Id>b</Id></e>", "b"],
    ["<e><Ids>a</Ids></e>", undefined],
    ["<e><Id><!-- b -->a</Id>", "a"],
    ["<e><!-- <Id>b</Id> --><Id>a</Id></e>", "a"],
    ["<e><o><![CDATA[<Id>b</Id>]]></o><Id>a</Id></e>", "a"],
    ["<e><Id>a</Id><cut off", "a"],
    ["<Id>a", undefined],
    ["", undefined],
    ['<!DOCTYPE e [<!ENTITY x "a">]><e><Id>&x;</Id></e>', undefined],
    [`<e><Id>a</Id>${filler(HEAD)}&am`, "a"],
    [`<e>${filler(HEAD)}<Id>a</Id></e>`, undefined],
    [`${"<e>".repeat(200)}<Id>a</Id>`, undefined],
  ])("of %.60j is %j", (text, found) => {
    expect(textOfElement(text, "Id")).toBe(found);
  });
});

describe("reading XML of vendors", () => {
  it.each<[text: string, message: string]>([
    ["<!DOCTYPE e><e/>", "without a document type"],
    ["<e>&nbsp;</e>", "without a document type"],
    ["<e><f></e>", "not well-formed"],
    [`<e>${"<f/>".repeat(100_001)}</e>`, "at most 100000 tags"],
    [`${"<e>".repeat(110)}${"</e>".repeat(110)}`, "not well-formed"],
  ])("refuses %.40j", (text, message) => {
    const read = readXml(text, []);
    expect(read.ok ? "" : read.message).toContain(message);
  });
});
