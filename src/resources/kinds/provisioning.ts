import * as z from "zod";
import { anything, fields, free } from "./field";
import { type Kind, kindOf } from "./kind";

/**
 * Kinds of the group `management` by which an application gets access to an API and credentials for it: who wants
 * access makes a request, an agent provisions it and sets its `status` (reference resource-api.md §8).
 */

/** A form, as a JSON Schema: what is asked of who requests, or given to them. */
const form = z.record(z.string(), anything);

/** What is asked in a request, and its answers. */
const answers = z.record(z.string(), anything).optional();

/** How far the work on a request is. */
const status = z.looseObject({
  level: z.enum(["Success", "Error", "Pending"]),
  reasons: z.array(anything).optional(),
});

/** An agent takes up what is pending, and what has no status it leaves alone. */
const initial = { status: { level: "Pending", reasons: [] } };

const quota = {
  limit: z.number().optional(),
  interval: z.string().optional(),
};

const accessRequestDefinition = kindOf({
  group: "management",
  kind: "AccessRequestDefinition",
  plural: "accessrequestdefinitions",
  shortNames: ["ard", "ards"],
  scopes: ["Environment"],
  spec: fields({
    schema: form.optional(),
    provision: fields({
      schema: form.optional(),
      policies: fields({ transferable: z.boolean().optional() }).optional(),
    }).optional(),
  }),
  subResources: free("applicationprofile", "webhooks"),
});

const accessRequest = kindOf({
  group: "management",
  kind: "AccessRequest",
  plural: "accessrequests",
  scopes: ["Environment"],
  spec: fields({
    accessRequest: z.string().optional(),
    apiServiceInstance: z.string().min(1),
    managedApplication: z.string().min(1),
    data: answers,
    quota: fields(quota).optional(),
    additionalQuotas: z.array(fields({ name: z.string().min(1), ...quota })).optional(),
  }),
  subResources: { ...free("data", "references"), status },
  initial,
  references: [
    { path: ["apiServiceInstance"], kind: "APIServiceInstance", type: "hard" },
    { path: ["managedApplication"], kind: "ManagedApplication", type: "hard" },
  ],
});

const credentialRequestDefinition = kindOf({
  group: "management",
  kind: "CredentialRequestDefinition",
  plural: "credentialrequestdefinitions",
  shortNames: ["crd", "crds"],
  scopes: ["Environment"],
  spec: fields({
    type: z.string().optional(),
    schema: form.optional(),
    provision: fields({
      schema: form.optional(),
      policies: fields({
        renewable: z.boolean().optional(),
        suspendable: z.boolean().optional(),
        expiry: fields({
          period: z.number().optional(),
          actions: z.array(fields({ type: z.string().optional() })).optional(),
        }).optional(),
      }).optional(),
    }).optional(),
    webhooks: z
      .array(fields({ kind: z.string().optional(), name: z.string().optional() }))
      .optional(),
    identityProvider: z.string().optional(),
  }),
  subResources: free("webhooks"),
});

/** What is wanted of a credential in `spec.state`, and what it is in the subresource. */
const state = { name: z.enum(["active", "inactive"]), reason: z.string().optional() };

/** The values of its `data` come encrypted for its application, which reads them. */
const credential = kindOf({
  group: "management",
  kind: "Credential",
  plural: "credentials",
  scopes: ["Environment"],
  spec: fields({
    credentialRequestDefinition: z.string().min(1),
    managedApplication: z.string().min(1),
    data: answers,
    state: fields({ ...state, rotate: z.boolean().optional() }).default({ name: "active" }),
  }),
  subResources: { ...free("data", "policies", "references"), state: fields(state), status },
  initial,
  references: [
    {
      path: ["credentialRequestDefinition"],
      kind: "CredentialRequestDefinition",
      type: "hard",
    },
    { path: ["managedApplication"], kind: "ManagedApplication", type: "hard" },
  ],
});

const managedApplication = kindOf({
  group: "management",
  kind: "ManagedApplication",
  plural: "managedapplications",
  scopes: ["Environment"],
  spec: fields({
    security: fields({
      encryptionKey: z.string().min(1),
      encryptionAlgorithm: z.string().optional(),
      encryptionHash: z.string().optional(),
    }).optional(),
  }),
  subResources: { ...free("marketplace", "references"), status },
  initial,
});

const applicationProfileDefinition = kindOf({
  group: "management",
  kind: "ApplicationProfileDefinition",
  plural: "applicationprofiledefinitions",
  scopes: ["Environment"],
  spec: fields({ schema: form.optional() }),
});

const managedApplicationProfile = kindOf({
  group: "management",
  kind: "ManagedApplicationProfile",
  plural: "managedapplicationprofiles",
  scopes: ["Environment"],
  spec: fields({
    managedApplication: z.string().min(1),
    applicationProfileDefinition: z.string().min(1),
    data: answers,
  }),
  subResources: { ...free("references"), status },
  initial,
  references: [
    { path: ["managedApplication"], kind: "ManagedApplication", type: "hard" },
    {
      path: ["applicationProfileDefinition"],
      kind: "ApplicationProfileDefinition",
      type: "hard",
    },
  ],
});

export const provisioning: readonly Kind[] = [
  accessRequestDefinition,
  managedApplication,
  accessRequest,
  credentialRequestDefinition,
  credential,
  applicationProfileDefinition,
  managedApplicationProfile,
];
