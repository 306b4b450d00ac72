import { csharp, go, java, rust } from "./compiled";
import { php, python, ruby, typescript } from "./scripting";

/** What the headers are called that a receiver verifies a message by. */
export type HeaderNames = { id: string; timestamp: string; signature: string };

/** What they are called on every message (Standard Webhooks). */
export const STANDARD: HeaderNames = {
  id: "webhook-id",
  timestamp: "webhook-timestamp",
  signature: "webhook-signature",
};

/** A function that verifies messages, in each language; it needs nothing but its standard library, but in Rust. */
export const snippets = (names: HeaderNames): (readonly [language: string, text: string])[] => [
  ["TypeScript", typescript(names)],
  ["Python", python(names)],
  ["Go", go(names)],
  ["PHP", php(names)],
  ["Ruby", ruby(names)],
  ["Java", java(names)],
  ["C#", csharp(names)],
  ["Rust", rust(names)],
];
