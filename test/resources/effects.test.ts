import { describe, expect, it } from "vitest";
import type { Cause } from "../../src/resources/change";
import { kindNamed } from "../../src/resources/kinds/registry";
import {
  changesOf,
  effectsOf,
  expectationsOf,
  type Removal,
} from "../../src/resources/removal/effects";
import type { Content, Resource } from "../../src/resources/resource";

const A = { kind: "Environment", name: "a" };

function resource(kind: string, name: string, content: Partial<Content> = {}): Resource {
  return {
    organizationId: 1,
    kind: kindNamed(kind),
    scope: kind === "Environment" ? null : A,
    name,
    id: `id-${name}`,
    title: name,
    version: 4,
    state: null,
    createdAt: 1,
    createdBy: "1",
    modifiedAt: 1,
    modifiedBy: "1",
    content: {
      attributes: {},
      tags: [],
      finalizers: [],
      spec: {},
      sub: {},
      references: [],
      deletedReferences: [],
      ...content,
    },
  };
}

const service = resource("APIService", "service");
const reference = {
  id: service.id,
  group: "management",
  kind: "APIService",
  name: "service",
  type: "hard" as const,
};
const revision = resource("APIServiceRevision", "revision", {
  spec: { apiService: "service" },
  references: [reference],
});
const removal = (change: Partial<Removal>): Removal => ({
  target: service,
  removed: [],
  held: [],
  released: [],
  namers: [],
  ...change,
});
const by = { now: 100, userId: "7" };
const names = (resources: readonly Resource[]) => resources.map(({ name }) => name);

describe("effectsOf", () => {
  it("removes what the cascade removes, and what waited for it", () => {
    const environment = { ...resource("Environment", "a"), state: "DELETING" as const };
    const effects = effectsOf(
      removal({ removed: [revision, service], released: [environment] }),
      by,
    );
    expect(names(effects.removals)).toEqual(["revision", "service", "a"]);
    expect([effects.dying, effects.unlinked]).toEqual([[], []]);
  });

  it("marks what is held, unless it is marked already", () => {
    const marked = { ...resource("APIService", "marked"), state: "DELETING" as const };
    const { dying, removals } = effectsOf(removal({ held: [service, marked] }), by);
    expect(dying).toEqual([
      { ...service, state: "DELETING", version: 5, modifiedAt: 100, modifiedBy: "7" },
    ]);
    expect(removals).toEqual([]);
  });

  it("empties the name of what goes in those that stay", () => {
    const { unlinked } = effectsOf(removal({ removed: [service], namers: [revision] }), by);
    expect(unlinked).toMatchObject([
      {
        name: "revision",
        version: 5,
        content: {
          spec: { apiService: "" },
          references: [],
          deletedReferences: [{ id: service.id }],
        },
      },
    ]);
  });

  it("changes nobody twice: what goes or begins to die is not among those that only lose a name", () => {
    const held = { ...revision, id: "id-held", name: "held" };
    const { dying, unlinked } = effectsOf(
      removal({ removed: [service, revision], held: [held], namers: [revision, held] }),
      by,
    );
    expect(names(dying)).toEqual(["held"]);
    expect(dying[0]?.content.references).toEqual([]);
    expect(unlinked).toEqual([]);
  });
});

describe("changesOf", () => {
  const cause: Cause = {
    organizationId: 1,
    correlationId: "c",
    version: "v1",
    product: "p",
    newId: () => crypto.randomUUID(),
    hops: 0,
    ...by,
  };
  const changes = (one: Removal) =>
    changesOf(one, effectsOf(one, by), cause, { hooks: [], webhooks: [] }).map(
      ({ changed: { type, name } }) => `${type} ${name}`,
    );

  it("tells dependents first, then what only changes, the target and what waited for it last", () => {
    const environment = resource("Environment", "a");
    const namer = { ...revision, id: "id-namer", name: "namer" };
    expect(
      changes(
        removal({
          removed: [revision, service],
          held: [resource("APIService", "held")],
          released: [environment],
          namers: [namer],
        }),
      ),
    ).toEqual([
      "ResourceDeleted revision",
      "ResourceUpdated held",
      "ResourceUpdated namer",
      "ResourceDeleted service",
      "ResourceDeleted a",
    ]);
  });

  it("of a target that is held tells that it changes, not that it is deleted", () => {
    expect(changes(removal({ removed: [revision], held: [service] }))).toEqual([
      "ResourceDeleted revision",
      "ResourceUpdated service",
    ]);
  });
});

describe("expectationsOf", () => {
  it("are all that the deletion has read, each once, at the version it was read", () => {
    const held = resource("APIService", "held");
    const one = removal({ removed: [service], held: [held], namers: [revision, service] });
    expect(
      expectationsOf(one, effectsOf(one, by)).map(({ name, version }) => [name, version]),
    ).toEqual([
      ["service", 4],
      ["held", 4],
      ["revision", 4],
    ]);
  });
});
