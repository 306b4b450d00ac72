/**
 * What reference resource-api.md and the page the product was conceived from print, byte for byte:
 * what people copy must work as it stands.
 */

/** Reference resource-api.md §3: a resource. */
export const envelope = String.raw`{"group":"management","apiVersion":"v1","kind":"APIService","name":"test","title":"Music API",
 "metadata":{"id":"e4fda79d744bc16001745b482d0c0496",
  "audit":{"createTimestamp":"2020-09-04T22:41:30.892+0000","createUserId":"69f5faff-...","modifyTimestamp":"...","modifyUserId":"..."},
  "scope":{"id":"e4f37c79...","kind":"Environment","name":"axway","selfLink":"/management/v1/environments/axway"},
  "resourceVersion":"0","references":[],"selfLink":"/management/v1/environments/axway/apiservices/test"},
 "attributes":{"release":"2.0.4"},"tags":["musical"],"finalizers":[{"name":"f","description":"d"}],"spec":{}}`;

/** Reference resource-api.md §6: an error. */
export const errorBody = String.raw`{"errors":[{"status":400,"title":"Validation error","detail":"Name is not valid.","source":{"parameter":"name"},"meta":{"regexp":"^[a-z0-9]...","instanceId":"...","tenantId":"...","authenticatedUserId":"...","transactionId":"..."}}]}`;

/** Reference resource-api.md §7. */
export const resourceGroup = String.raw`{"group":"definitions","apiVersion":"v1alpha1","kind":"ResourceGroup","name":"management","title":"management",
 "metadata":{"id":"e4e08f48...","audit":{"createTimestamp":"2020-04-07T22:19:17.851+0000","modifyTimestamp":"..."},"resourceVersion":"1607","references":[],"selfLink":"/definitions/v1alpha1/groups/management"},
 "attributes":{},"finalizers":[],"tags":[],"spec":{}}`;

/** Reference resource-api.md §7: the members that are its own. */
export const resourceDefinition = String.raw`{"kind":"ResourceDefinition","name":"webhook-environment",
 "metadata":{"scope":{"id":"e4e08f48...","kind":"ResourceGroup","name":"management","selfLink":"/definitions/v1alpha1/groups/management"},"selfLink":"/definitions/v1alpha1/groups/management/resources/webhook-environment"},
 "spec":{"kind":"Webhook","plural":"webhooks","scope":{"kind":"Environment"},
  "apiVersions":[{"name":"v1","served":true,"deprecated":false},{"name":"v1alpha1","served":true,"deprecated":true}],
  "references":{"toResources":[{"kind":"Secret","group":"management","types":["soft"],"scopeKind":"Environment"}],"fromResources":[]},
  "queryParams":["name","title","tags","attributes","owner.id"],"subResources":{"names":[]}}}`;

/** Reference resource-api.md §7: the members that are its own. */
export const commandLine = String.raw`{"kind":"CommandLineInterface","name":"environment",
 "metadata":{"scope":{"kind":"ResourceGroup","name":"management"},"selfLink":"/definitions/v1alpha1/groups/management/commandlines/environment"},
 "spec":{"names":{"plural":"environments","singular":"environment","shortNames":["env","envs"]},
  "columns":[{"name":"Name","type":"string","jsonPath":".name","description":"Name."},{"name":"Age","type":"date","jsonPath":".metadata.audit.createTimestamp","description":"Created."}],
  "resourceDefinition":"environment"}}`;

/** Reference resource-api.md §10: what a webhook is sent. */
export const invocation = String.raw`{"id":"af7cd036-e57a-...","time":"2020-09-04T22:41:31.608+0000","version":"v1","product":"AmplifyCentral","correlationId":"b013871b-05ce-...","organization":{"id":"916640157564164"},"type":"SubResourceUpdated","metadata":{"subresource":"approval"},"payload":{}}`;

/** Reference resource-api.md §11: what a watch topic tells. */
export const logEntries = String.raw`[{"id":"acb8e658-...","time":"2024-10-28 15:43:02.689148","type":"ResourceCreated",
 "payload":{"group":"management","kind":"APIService","name":"svc","finalizers":null,"attributes":{},"tags":[],"metadata":{"id":"...","selfLink":"...","references":[],"scope":{"id":"...","kind":"Environment","name":"e","selfLink":"..."}}},
 "metadata":{"watchTopicSelfLink":"/management/v1/watchtopics/t","watchTopicID":"8ac9...","sequenceID":284734,"subresource":null}}]`;

/** The page's `webhook.yaml`. */
export const webhookYaml = String.raw`group: management
apiVersion: v1alpha1
kind: Webhook
name: invoke-jira-webhook
title: JIRA approval webhook
metadata:
  scope:
    kind: Environment
    name: azure-apiman-service
spec:
  url: >-
    https://webhook.site/9cb87457-04ad-4db4-830f-2da5dc46e0bb
  enabled: true
  headers:
    Content-Type: application/json`;

/** The page's event; its picture is cut in the middle, with line breaks that no JSON text has. */
export const createdEvent = String.raw`{
    "id": "af7cd036-e57a-4275-9ab3-2bf1d04757ce",
    "time": "2020-09-04T22:41:31.608+0000",
    "version": "v1",
    "product": "AmplifyCentral",
    "correlationId": "b013871b-05ce-4ea2-b4c3-148b702b3e55",
    "organization": {
        "id": "916640157564164"
    },
    "type": "ResourceCreated",
    "payload": {
        "finalizers": [],
        "metadata": {
            "id": "e4fda79d744bc16001745b482d0c0496",
            "audit": {
                "createTimestamp": "2020-09-04T22:41:30.892+0000",
                "createUserId": "69f5faff-aad3-43ea-9665-da11bc7b0f06",
                "modifyTimestamp": "2020-09-04T22:41:30.892+0000",
                "modifyUserId": "69f5faff-aad3-43ea-9665-da11bc7b0f06"
            },
            "scope": {
                "id": "e4f37c79728174c9017294b9848e0677",
                "kind": "Environment",
                "name": "axway",
                "selfLink": "/management/v1alpha1/environments/axway"
            },
            "resourceVersion": "21852",
            "references": [],
            "selfLink": "/management/v1alpha1/environments/axway/apiservices/test"
        },
        "apiVersion": "v1alpha1",
        "kind": "APIService",
        "name": "test",
        "attributes": {
            "release": "2.0.4"
        },
        "title": "Musical instruments API",
        "spec": {
            "icon": {
                "data": "iVBORw0KGgoAAAANSUhEUgA=
                d0OHqAeDaUD8ziKUk0bmBogGfn16hUqwMUJMX1kxImNZ21AAkSWuyA
                .....................................................
                .....................................................
                9WAIm8jGWtoAAiS1yRH6wAEnkZy1pBAUSWuCI/+H/IOwKf+Y+BXwAAAABJRU5ErkJggg==",
                "contentType": "image/png"
            },
            "description": "This is a sample Musical Instruments API."
        },
        "group": "management",
        "tags": [
            "instruments",
            "musical"
        ]
    }
}`;

/** All revisions in one environment. */
export const revisionsHook = String.raw`{
   "group": "management",
   "apiVersion": "v1alpha1",
   "kind": "ResourceHook",
   "name": "apiservicerevisions-hook",
   "title": "Monitor API Service Revision changes from 'azure-apiman-service' Environment",
   "spec": {
      "triggers": [
         {
            "group": "management",
            "kind": "APIServiceRevision",
            "name": "*",
            "type": [
               "updated",
               "created",
               "deleted"
            ],
            "scope": {
               "kind": "Environment",
               "name": "azure-apiman-service"
            }
         }
      ],
      "webhooks": [
         "invoke-jira-webhook"
      ]
   }
}`;

/** All environments. */
export const environmentsHook = String.raw`{
   "group": "management",
   "apiVersion": "v1alpha1",
   "kind": "ResourceHook",
   "name": "environments-hook",
   "title": "Monitor all Environment resources",
   "spec": {
      "triggers": [
         {
            "group": "management",
            "kind": "Environment",
            "name": "*",
            "type": [
               "created",
               "updated",
               "deleted"
            ]
         }
      ],
      "webhooks": [
         "invoke-jira-webhook"
      ]
   }
}`;

/** One environment and all it holds. */
export const contentsHook = String.raw`{
   "group": "management",
   "apiVersion": "v1alpha1",
   "kind": "ResourceHook",
   "name": "environments-hook",
   "title": "Monitor Environment azure-apiman-service and all its resources",
   "spec": {
      "triggers": [
         {
            "group": "management",
            "kind": "Environment",
            "name": "azure-apiman-service",
            "type": [
               "created",
               "updated",
               "deleted"
            ]
         },
         {
            "group": "management",
            "kind": "*",
            "name": "*",
            "type": [
               "created",
               "updated",
               "deleted"
            ],
            "scope": {
               "kind": "Environment",
               "name": "azure-apiman-service"
            }
         }
      ],
      "webhooks": [
         "invoke-jira-webhook"
      ]
   }
}`;

/** A trigger for a kind wherever it is. */
export const anywhereTrigger = String.raw`{
    "group": "*",
    "scope": {
        "kind": "*",
        "name": "*"
    },
    "kind": "APIService",
    "name": "*",
    "type": [
        "created",
        "updated",
        "deleted"
    ]
}`;

/** The page's Secret. */
export const secret = String.raw`{
    "name": "secrettest",
    "title": "Axway Environment Test",
    "spec": {
        "data": {
            "apikey": "secret"
        }
    }
}`;

/** The page's Webhook that names a Secret. */
export const webhookWithSecret = String.raw`{
    "name": "webhook",
    "title": "Webhook to invoke requestbin.com",
    "spec": {
        "auth": {
            "secret": {
                "name": "webhooksecret",
                "key": "apikey"
            }
        },
        "enabled": true,
        "url": "https://enveb85y26nv.x.pipedream.net"
    }
}`;
