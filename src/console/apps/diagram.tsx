import type { JSX } from "hono/jsx/jsx-runtime";
import { depthsOf, type Drawn, type Step } from "./steps";

const WIDTH = 236;
const HEIGHT = 58;
const GAP_X = 28;
const GAP_Y = 44;
const MOST_LETTERS = 30;

type Place = { step: Step; x: number; y: number };

/** A flow from its triggers down; the list below it says the same in words. */
export function Diagram({ drawn, label }: { drawn: Drawn; label: string }): JSX.Element | null {
  const places = placesOf(drawn);
  if (places.size === 0) return null;
  const all = [...places.values()];
  const width = Math.max(...all.map(({ x }) => x)) + WIDTH + 2;
  const height = Math.max(...all.map(({ y }) => y)) + HEIGHT + 2;
  return (
    <div class="diagram" tabindex={0} role="region" aria-label={label}>
      <svg width={width} height={height} viewBox={`-1 -1 ${width} ${height}`} aria-hidden="true">
        {all.flatMap((to) =>
          to.step.after.flatMap(({ id, port }) => {
            const from = places.get(id);
            return from === undefined ? [] : <Line from={from} to={to} port={port} />;
          }),
        )}
        {all.map((place) => (
          <Box {...place} />
        ))}
      </svg>
    </div>
  );
}

function placesOf({ steps, descriptor }: Drawn): Map<string, Place> {
  const depths = depthsOf(descriptor);
  const taken = new Map<number, number>();
  return new Map(
    steps.map((step) => {
      const depth = depths.get(step.id) ?? 0;
      const column = taken.get(depth) ?? 0;
      taken.set(depth, column + 1);
      return [step.id, { step, x: column * (WIDTH + GAP_X), y: depth * (HEIGHT + GAP_Y) }] as const;
    }),
  );
}

function Box({ step, x, y }: Place): JSX.Element {
  const isPlain = step.name === step.does;
  return (
    <g class={step.trigger === undefined ? "step" : "step trigger"}>
      <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={10} />
      <text x={x + 14} y={y + (isPlain ? 34 : 24)} class="name">
        {short(step.name)}
      </text>
      {isPlain ? null : (
        <text x={x + 14} y={y + 43} class="does">
          {short(step.does)}
        </text>
      )}
    </g>
  );
}

function Line({ from, to, port }: { from: Place; to: Place; port: string }): JSX.Element {
  const [x1, y1] = [from.x + WIDTH / 2, from.y + HEIGHT];
  const [x2, y2] = [to.x + WIDTH / 2, to.y];
  const bend = Math.max(GAP_Y / 2, Math.abs(y2 - y1) / 2);
  const isError = port === "error";
  return (
    <g class={isError ? "line error" : "line"}>
      <path d={`M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 6}`} />
      <path class="tip" d={`M${x2 - 5} ${y2 - 8}L${x2} ${y2}L${x2 + 5} ${y2 - 8}Z`} />
      {isError ? (
        <text x={(x1 + x2) / 2 + 8} y={(y1 + y2) / 2 + 4} class="does">
          when it fails
        </text>
      ) : null}
    </g>
  );
}

const short = (text: string): string =>
  text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text;
