import type { Group, Kind } from "../kinds/kind";
import { dependentsOf, groups, kindNamed, kinds, versions } from "../kinds/registry";
import { contractTime } from "../resource";
import { sha256 } from "../../values/bytes";

/**
 * What existing command-line clients read before every command (reference resource-api.md §7): groups,
 * one ResourceDefinition per kind and scope kind, and exactly one CommandLineInterface for each.
 */

type Document = Record<string, unknown>;

/** When the registry began: definitions have no history of their own. */
const EPOCH = contractTime(Date.UTC(2026, 0, 1));
const ROOT = "/definitions/v1alpha1/groups";

/** A kind under one of its scope kinds; `scope` undefined: unscoped. */
type Placed = { kind: Kind; scope: string | undefined; name: string };

const placed: readonly Placed[] = kinds.flatMap((kind): Placed[] => {
  const word = kind.kind.toLowerCase();
  return [
    ...(kind.unscoped ? [{ kind, scope: undefined, name: word }] : []),
    ...kind.scopes.map((scope) => ({
      kind,
      scope,
      name: kind.scopes.length === 1 && !kind.unscoped ? word : `${word}-${scope.toLowerCase()}`,
    })),
  ];
});

export function groupDocuments(): Document[] {
  return groups.map((name) => ({
    ...envelope("ResourceGroup", name, `${ROOT}/${name}`, versionOf(name)),
    spec: {},
  }));
}

export const definitionDocuments = (group: Group): Document[] =>
  placed.filter(({ kind }) => kind.group === group).map(definition);

export const commandLineDocuments = (group: Group): Document[] =>
  placed.filter(({ kind }) => kind.group === group).map(commandLine);

function definition({ kind, scope, name }: Placed): Document {
  const { group, plural } = kind;
  return {
    ...inGroup("ResourceDefinition", group, "resources", name),
    spec: {
      kind: kind.kind,
      plural,
      ...(scope === undefined ? {} : { scope: { kind: scope } }),
      apiVersions: versions.map((version, index) => ({
        name: version,
        served: true,
        deprecated: index > 0,
      })),
      references: {
        toResources: kind.references.map((rule) => ({
          kind: rule.kind,
          group: kindNamed(rule.kind).group,
          types: [rule.type],
          ...(scope === undefined ? {} : { scopeKind: scope }),
        })),
        fromResources: dependentsOf(kind.kind)
          .filter((dependent) =>
            scope === undefined
              ? dependent.unscoped
              : dependent.scopes.some((held) => held === scope),
          )
          .map((dependent) => ({
            kind: dependent.kind,
            group: dependent.group,
            types: dependent.references
              .filter((rule) => rule.kind === kind.kind)
              .map(({ type }) => type),
            ...(scope === undefined ? {} : { scopeKind: scope }),
          })),
      },
      queryParams: ["name", "title", "tags", "attributes", "owner.id", ...kind.queryParams],
      subResources: { names: Object.keys(kind.subResources) },
    },
  };
}

function commandLine({ kind, scope, name }: Placed): Document {
  // Clients ask every definition a word fits: unscoped ones of kinds that are mostly scoped have their own.
  const apart = scope === undefined && kind.scopes.length > 0;
  const prefix = apart ? "unscoped" : "";
  return {
    ...inGroup("CommandLineInterface", kind.group, "commandlines", name),
    spec: {
      names: {
        plural: `${prefix}${kind.plural}`,
        singular: `${prefix}${kind.singular}`,
        shortNames: apart ? [] : [...kind.shortNames],
      },
      columns: columns(scope !== undefined),
      resourceDefinition: name,
    },
  };
}

function columns(scoped: boolean): Document[] {
  const column = (name: string, type: string, jsonPath: string, description: string): Document => ({
    name,
    type,
    jsonPath,
    description,
  });
  return [
    column("Name", "string", ".name", "Name."),
    column("Age", "date", ".metadata.audit.createTimestamp", "Created."),
    column("Title", "string", ".title", "Title."),
    column("Resource Kind", "string", ".kind", "Kind."),
    ...(scoped
      ? [
          column("Scope Kind", "string", ".metadata.scope.kind", "Kind of the scope."),
          column("Scope Name", "string", ".metadata.scope.name", "Name of the scope."),
        ]
      : []),
    column("Resource Group", "string", ".group", "Group."),
    column("Owner", "teamGuid", ".owner.id", "Team that owns it."),
  ];
}

function inGroup(kind: string, group: Group, collection: string, name: string): Document {
  const groupLink = `${ROOT}/${group}`;
  const document = envelope(kind, name, `${groupLink}/${collection}/${name}`, versionOf(group));
  return {
    ...document,
    metadata: {
      ...document.metadata,
      scope: {
        id: idOf("ResourceGroup", group),
        kind: "ResourceGroup",
        name: group,
        selfLink: groupLink,
      },
    },
  };
}

function envelope(kind: string, name: string, selfLink: string, resourceVersion: string) {
  return {
    group: "definitions",
    apiVersion: "v1alpha1",
    kind,
    name,
    title: name,
    metadata: {
      id: idOf(kind, name),
      audit: { createTimestamp: EPOCH, modifyTimestamp: EPOCH },
      resourceVersion,
      references: [],
      selfLink,
    },
    attributes: {},
    finalizers: [],
    tags: [],
  };
}

const idOf = (kind: string, name: string): string => hash(`${kind}/${name}`).slice(0, 32);

/** Changes whenever the group's part of the registry does: clients read a group anew then. */
function versionOf(group: Group): string {
  const known = versionsKnown.get(group);
  if (known !== undefined) return known;
  const own = placed
    .filter(({ kind }) => kind.group === group)
    .map(({ kind, scope, name }) => ({
      ...kind,
      spec: Object.keys(kind.subResources),
      subResources: undefined,
      scope,
      name,
    }));
  const version = String(Number.parseInt(hash(JSON.stringify(own)).slice(0, 12), 16));
  versionsKnown.set(group, version);
  return version;
}
const versionsKnown = new Map<Group, string>();

const hash = (text: string): string => sha256(text, "hex");
