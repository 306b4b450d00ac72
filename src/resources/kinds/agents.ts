import * as z from "zod";
import { anything, fields, free } from "./field";
import { type Kind, kindOf } from "./kind";

/** Kinds of the group `management` by which an agent shows itself and what it works on (reference resource-api.md §8). */

/** Who owns what an agent publishes. */
const owner = fields({ type: z.string().optional(), id: z.string().min(1) });
const logging = fields({ level: z.string().optional() });
const dataplaneType = z.string().optional();
const texts = z.array(z.string());

/** What of a message an agent shows, and what it masks. */
const redactionRule = fields({
  show: texts.optional(),
  sanitize: z
    .array(fields({ keyMatch: z.string().optional(), valueMatch: z.string().optional() }))
    .optional(),
});

const discoveryAgent = kindOf({
  group: "management",
  kind: "DiscoveryAgent",
  plural: "discoveryagents",
  shortNames: ["da", "das"],
  scopes: ["Environment"],
  spec: fields({
    dataplaneType,
    config: fields({
      filter: z.string().optional(),
      additionalTags: texts.optional(),
      ignoreTags: texts.optional(),
      owningTeam: z.string().optional(),
      owner: owner.optional(),
    }).optional(),
    logging: logging.optional(),
  }),
  subResources: free("agentstate", "dataplane", "status"),
});

const traceabilityAgent = kindOf({
  group: "management",
  kind: "TraceabilityAgent",
  plural: "traceabilityagents",
  shortNames: ["ta", "tas"],
  scopes: ["Environment"],
  spec: fields({
    dataplaneType,
    config: fields({
      owningTeam: z.string().optional(),
      processHeaders: z.boolean().optional(),
      redaction: fields({
        path: texts.optional(),
        queryArgument: redactionRule.optional(),
        requestHeaders: redactionRule.optional(),
        responseHeaders: redactionRule.optional(),
        maskingCharacter: z.string().optional(),
      }).optional(),
      sampling: anything.optional(),
      owner: owner.optional(),
    }).optional(),
    logging: logging.optional(),
  }),
  subResources: free("agentstate", "dataplane", "sampletrigger", "status"),
});

const complianceAgent = kindOf({
  group: "management",
  kind: "ComplianceAgent",
  plural: "complianceagents",
  scopes: ["Environment"],
  spec: fields({
    dataplaneType,
    config: fields({ managedEnvironments: texts.optional() }).optional(),
  }),
  subResources: free("agentstate", "dataplane", "status"),
});

const complianceRuntimeResult = kindOf({
  group: "management",
  kind: "ComplianceRuntimeResult",
  plural: "complianceruntimeresults",
  scopes: ["Environment"],
  spec: fields({
    complianceAgent: z.string().optional(),
    timestamp: z.string().optional(),
    type: z.string().optional(),
    results: z.array(anything).optional(),
  }),
});

const dataplane = kindOf({
  group: "management",
  kind: "Dataplane",
  plural: "dataplanes",
  scopes: ["Environment"],
  spec: fields({ type: z.string().min(1), config: anything.optional() }),
  subResources: free("secretschema", "security"),
});

/** Its `data` comes encrypted for the agent, which reads it. */
const dataplaneSecret = kindOf({
  group: "management",
  kind: "DataplaneSecret",
  plural: "dataplanesecrets",
  scopes: ["Environment"],
  spec: fields({ dataplane: z.string().min(1), data: z.string() }),
  subResources: free("state", "status"),
  references: [{ path: ["dataplane"], kind: "Dataplane", type: "hard" }],
});

const accessControlList = kindOf({
  group: "management",
  kind: "AccessControlList",
  plural: "accesscontrollists",
  shortNames: ["acl", "acls"],
  scopes: ["Environment", "Integration"],
  spec: fields({
    rules: z.array(fields({ access: z.array(anything).optional() })).optional(),
    subjects: z
      .array(
        fields({
          type: z.string().optional(),
          id: z.string().optional(),
          organization: anything.optional(),
        }),
      )
      .optional(),
  }),
});

export const agents: readonly Kind[] = [
  discoveryAgent,
  traceabilityAgent,
  complianceAgent,
  complianceRuntimeResult,
  dataplane,
  dataplaneSecret,
  accessControlList,
];
