import { format, type Schema, validate } from "@cfworker/json-schema";
import { messageOf } from "../../expressions/syntax";
import type { LinearRegExp } from "../../expressions/linear-regex";
import { recordOf } from "../../values/record";
import { APPLICATORS, ASSERTIONS, innerSchemas, isOfTheValue, type SchemaFault } from "./keywords";
import { memberName, readErrors } from "./errors";
import { type Quick, quickCheck } from "./quick";
import { expectedText, linearPattern, matches, type TextCheck, textCheck, textRule } from "./texts";
import { Work } from "./work";

/** So many schemas may be applied to one value, one within the other. */
const MOST_NESTED = 100;
/** Instructions of all patterns of a schema: making them takes as long as using them. */
const MOST_INSTRUCTIONS = 5_000;

type Node = Schema | boolean;
type Patterned = { pattern: LinearRegExp; schema: Node }[];

/** What checks the texts of the data that is being checked. */
let checking: ((name: string, text: string) => boolean) | undefined;

// The library asks this table for what checks a text, and knows no other way to give it checks of one's own.
Object.setPrototypeOf(
  format,
  new Proxy(
    {},
    { get: (_, name) => checking && ((text: string) => checking?.(String(name), text)) },
  ),
);

/**
 * A JSON Schema (draft 2020-12) made ready for `@cfworker/json-schema`, which runs it without making code of it. The
 * library is for schemas that one trusts. What reaches it is a copy that whoever wrote the schema has no hold over:
 *
 * - each schema costs work when it is applied, by a member that the library reads then (`$recursiveAnchor`);
 * - what is asked of texts, patterns above all, is asked of `texts.ts`, as a `format`;
 * - `patternProperties` are `properties` by the names that the data has.
 */
export class CompiledSchema {
  /** What is wrong with it; if anything is, nothing can be checked. */
  readonly faults: SchemaFault[] = [];
  private readonly root: Schema;
  /** By how references name them. */
  private readonly lookup: Record<string, Node> = {};
  private readonly paths = new Map<Schema, string[]>();
  private readonly texts: { check: TextCheck; expected: string }[] = [];
  private instructions = 0;
  private work = new Work();
  private readonly names = new Set<string>();
  private readonly named = new Map<Schema, Record<string, Node>>();
  private hasNamePatterns = false;
  private readonly weights = new Map<Schema, number>();
  private readonly quick: Quick;

  /** @param schema without faults in its keywords (`keywordFaults`). */
  constructor(schema: Record<string, unknown>) {
    this.root = this.copy(schema, []);
    const byPath = new Map([...this.paths].map(([node, path]) => [JSON.stringify(path), node]));
    for (const [node, path] of this.paths) {
      if (node.$ref !== undefined) {
        const referred = byPath.get(JSON.stringify(pathOf(node.$ref)));
        if (referred !== undefined) this.lookup[node.$ref] = referred;
        else this.faults.push({ path: [...path, "$ref"], message: `There is no '${node.$ref}'` });
      }
      this.nameByPatterns(node, path);
    }
    if (this.faults.length === 0) this.checkNesting();
    this.quick = quickCheck(this.faults.length > 0 || this.root, {
      refer: (node) => this.referred(node),
      textOf: (name) => this.texts[Number(name)]?.check,
      weigh: (node) => this.weights.get(node) ?? 1,
    });
  }

  /** What is wrong with data, each by its path. Data that takes too much work is wrong itself. */
  check(data: unknown): SchemaFault[] {
    if (this.isSurelyRight(data)) return [];
    this.work = new Work();
    this.names.clear();
    this.named.clear();
    try {
      const copy = this.work.watch(data, this.hasNamePatterns ? this.names : undefined);
      checking = (name, text) => this.texts[Number(name)]?.check(text, this.work) ?? true;
      const { errors } = validate(copy, this.root, "2020-12", this.lookup, false);
      return readErrors(errors, (name) => this.texts[Number(name)]?.expected);
    } catch (error) {
      const why = error instanceof RangeError ? "It takes too much work" : messageOf(error);
      return [{ path: [], message: `It can't be checked by the schema: ${why}` }];
    } finally {
      checking = undefined;
    }
  }

  private isSurelyRight(data: unknown): boolean {
    try {
      return this.quick(data, new Work());
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  private copy(schema: Record<string, unknown>, path: string[]): Schema {
    const node: Schema = {};
    for (const keyword of Object.keys(ASSERTIONS))
      if (Object.hasOwn(schema, keyword)) node[keyword] = schema[keyword];
    for (const [keyword, shape] of Object.entries(APPLICATORS)) {
      const held = innerSchemas(schema, keyword).map(({ path: inner, schema: one }) => {
        const copied = this.copyInner(one, [...path, ...inner]);
        return [inner.at(-1) ?? "", copied] as const;
      });
      if (held.length === 0) continue;
      const [[, first]] = held as [(typeof held)[0]];
      const schemas = held.map(([, one]) => one);
      node[keyword] = { one: first, list: schemas, map: Object.fromEntries(held) }[shape];
    }
    this.askTexts(node, schema, path);
    const weight = weightOf(schema);
    this.weights.set(node, weight);
    Object.defineProperty(node, "$recursiveAnchor", { get: () => this.work.spend(weight) });
    this.paths.set(node, path);
    return node;
  }

  /** `false` is written so that its errors tell where it stands. */
  private copyInner(schema: unknown, path: string[]): Node {
    if (schema === true) return true;
    return this.copy(schema === false ? { not: true } : recordOf(schema), path);
  }

  /** Puts what is asked of texts into one format. */
  private askTexts(node: Schema, schema: Record<string, unknown>, path: string[]): void {
    const rule = textRule(schema);
    for (const keyword of ["minLength", "maxLength", "pattern", "format"]) delete node[keyword];
    if (rule === undefined) return;
    const pattern =
      rule.pattern === undefined ? undefined : this.pattern(rule.pattern, [...path, "pattern"]);
    node.format = String(this.texts.length);
    this.texts.push({ check: textCheck(rule, pattern), expected: expectedText(rule) });
  }

  private pattern(source: string, path: string[]): LinearRegExp | undefined {
    if (this.instructions > MOST_INSTRUCTIONS) return undefined;
    try {
      const pattern = linearPattern(source);
      this.instructions += pattern.size;
      if (this.instructions <= MOST_INSTRUCTIONS) return pattern;
      this.faults.push({ path, message: "The patterns are too large together" });
    } catch (error) {
      this.faults.push({ path, message: `Not a pattern of RE2: ${messageOf(error)}` });
    }
    return undefined;
  }

  /** Makes `properties` of `patternProperties`, whose schemas others may refer to by where they stood. */
  private nameByPatterns(node: Schema, path: string[]): void {
    if (node.patternProperties === undefined) return;
    const { properties = {} } = node;
    const patterned = Object.entries(node.patternProperties).flatMap(([source, schema]) => {
      const pattern = this.pattern(source, [...path, "patternProperties", source]);
      return pattern === undefined ? [] : { pattern, schema };
    });
    this.hasNamePatterns = true;
    delete node.patternProperties;
    Object.defineProperty(node, "properties", {
      get: () => this.propertiesOf(node, properties, patterned),
    });
  }

  private propertiesOf(
    node: Schema,
    own: Record<string, Node>,
    patterned: Patterned,
  ): Record<string, Node> {
    this.work.spend(this.names.size / 8);
    const known = this.named.get(node);
    if (known !== undefined) return known;
    const made = Object.entries(own).filter(([name]) => !this.names.has(name));
    for (const name of this.names) {
      const schemas = patterned
        .filter(({ pattern }) => matches(pattern, name, this.work))
        .map(({ schema }) => schema);
      const ofName = Object.hasOwn(own, name) ? own[name] : undefined;
      if (ofName !== undefined) schemas.push(ofName);
      // The library takes `true` and `false` within `allOf`, which its types leave out.
      if (schemas.length > 0) made.push([name, { allOf: schemas as Schema[] }]);
    }
    const properties = Object.fromEntries(made);
    this.named.set(node, properties);
    return properties;
  }

  private referred({ $ref }: Schema): Node | undefined {
    return $ref === undefined ? undefined : this.lookup[$ref];
  }

  /** Refuses schemas that apply themselves to the same value again, or so many others that the stack would run out. */
  private checkNesting(): void {
    const depths = new Map<Schema, number>();
    const depthOf = (node: Node | undefined): number => {
      if (typeof node !== "object") return 0;
      const known = depths.get(node);
      if (known !== undefined) return known;
      // Whoever meets it again meanwhile goes round in a circle.
      depths.set(node, Infinity);
      const inner = innerSchemas(node).filter(({ keyword }) => isOfTheValue(keyword));
      const nodes = inner.map(({ schema }) => schema as Node);
      const depth = 1 + Math.max(0, ...[...nodes, this.referred(node)].map(depthOf));
      depths.set(node, depth);
      return depth;
    };
    for (const [node, path] of this.paths) {
      const depth = depthOf(node);
      if (depth <= MOST_NESTED) continue;
      const message =
        depth === Infinity
          ? "The schema applies itself to the same value again"
          : `More than ${MOST_NESTED} schemas apply to the same value, one within the other`;
      this.faults.push({ path, message });
      return;
    }
  }
}

/** The path that a reference names: a JSON pointer in a URI. */
const pathOf = (reference: string): string[] => reference.split("/").slice(1).map(memberName);

/** The steps that applying a schema costs, whatever the data: its lists of names and choices are gone through. */
function weightOf(schema: Record<string, unknown>): number {
  const choices = Array.isArray(schema["enum"]) ? schema["enum"].length : 0;
  const { const: constant, enum: some, required, dependentRequired, properties } = schema;
  const names = Object.keys(recordOf(properties));
  const text = JSON.stringify([constant, some, required, dependentRequired, names]);
  return 1 + choices + text.length / 200;
}
