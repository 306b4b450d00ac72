import * as z from "zod";

/** A flow's descriptor: component id → component (reference app-events-api.md §5). */

/** Names that would reach into an object's prototype are no component ids. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);
const MOST_COMPONENTS = 200;
const componentId = z
  .string()
  .regex(/^[\w\s-]+$/, "Expected letters, digits, '_', '-' and spaces")
  .max(128)
  .refine((id) => !FORBIDDEN.has(id), "This name is reserved");
const ports = z.union([z.string().transform((port) => [port]), z.array(z.string())]);
const parameter = z.object({ value: z.unknown() });

const modifier = z.object({
  variable: z.string().optional(),
  functions: z
    .array(
      z.object({
        name: z.string(),
        params: z.array(parameter).default([]),
        hashParams: z.record(z.string(), parameter).default({}),
      }),
    )
    .max(50)
    .default([]),
});
export type Modifier = z.infer<typeof modifier>;

const transformation = z.object({
  type: z.enum(["json2new", "json2ext"]).default("json2new"),
  modifiers: z.record(z.string(), z.record(z.string(), modifier)).default({}),
  lambda: z.record(z.string(), z.unknown()).default({}),
});
export type Transformation = z.infer<typeof transformation>;

const errorHandling = z.object({
  autoRetry: z.boolean().default(true),
  maxRetries: z.number().int().min(0).max(30).default(30),
  onError: z.enum(["storeUnprocessed", "errorPort", "stopFlow"]).default("storeUnprocessed"),
});

const component = z.strictObject({
  type: z.string().regex(/^\w+\.\w+\.\w+\.\w+$/, "Expected a type like 'vendor.module.part.Name'"),
  label: z.unknown().optional(),
  x: z.unknown().optional(),
  y: z.unknown().optional(),
  version: z.unknown().optional(),
  manifest: z.unknown().optional(),
  source: z.record(z.string(), z.record(componentId, ports)).nullish(),
  config: z
    .strictObject({
      properties: z.record(z.string(), z.unknown()).nullish(),
      transform: z
        .record(z.string(), z.record(z.string(), z.record(z.string(), transformation)))
        .nullish(),
      auth: z.unknown().optional(),
    })
    .nullish(),
  errorHandling: errorHandling.optional(),
});

const descriptor = z
  .record(componentId, component)
  .refine((all) => Object.keys(all).length <= MOST_COMPONENTS, {
    message: `Expected at most ${MOST_COMPONENTS} components`,
  });

export type Component = {
  id: string;
  type: string;
  properties: Record<string, unknown>;
  /** In port, upstream component, its out port: one entry each. */
  inputs: { inPort: string; from: string; outPort: string }[];
  /** In port → upstream component → out port → how the input is made. */
  transform: Record<string, Record<string, Record<string, Transformation>>>;
  errorHandling: z.infer<typeof errorHandling>;
};

export type Descriptor = ReadonlyMap<string, Component>;

/** What is wrong, naming component and field. */
export type Fault = { componentId: string | null; field: string; message: string };

/** Makes a fault of one component. */
export type FaultAt = (field: string, message: string) => Fault;

/** The descriptor in the form everything else works with, or what is wrong with its shape. */
export function readDescriptor(
  json: unknown,
): { ok: true; descriptor: Descriptor } | { ok: false; faults: Fault[] } {
  if (typeof json === "object" && json !== null && Object.hasOwn(json, "__proto__"))
    return {
      ok: false,
      faults: [{ componentId: "__proto__", field: "", message: "This name is reserved" }],
    };
  const parsed = descriptor.safeParse(json);
  if (!parsed.success)
    return {
      ok: false,
      faults: parsed.error.issues.map(({ path: [id, ...field], message }) => ({
        componentId: id === undefined ? null : String(id),
        field: field.map(String).join("."),
        message,
      })),
    };
  const components = Object.entries(parsed.data).map(([id, { type, source, config, ...rest }]) => ({
    id,
    type,
    properties: config?.properties ?? {},
    inputs: Object.entries(source ?? {}).flatMap(([inPort, upstream]) =>
      Object.entries(upstream).flatMap(([from, outPorts]) =>
        outPorts.map((outPort) => ({ inPort, from, outPort })),
      ),
    ),
    transform: config?.transform ?? {},
    errorHandling: rest.errorHandling ?? errorHandling.parse({}),
  }));
  return { ok: true, descriptor: new Map(components.map((one) => [one.id, one])) };
}

/** The components that listen to a port of `id`; to any of its ports when none is named. */
export function stepsBelow(
  descriptor: Descriptor,
  id: string,
  port?: string,
): { componentId: string; port: string }[] {
  const found = new Map<string, { componentId: string; port: string }>();
  for (const below of descriptor.values())
    for (const { from, outPort } of below.inputs)
      if (from === id && (port === undefined || outPort === port))
        found.set(JSON.stringify([below.id, outPort]), { componentId: below.id, port: outPort });
  return [...found.values()];
}
