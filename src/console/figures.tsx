import type { JSX } from "hono/jsx/jsx-runtime";

export const grouped = (n: number): string => n.toLocaleString("en-US");

/** Cents from one cent on; below, what there is of it. */
export const money = (usd: number): string =>
  `$${usd.toLocaleString("en-US", usd === 0 || usd >= 0.01 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumSignificantDigits: 1 })}`;

/** One bar of a chart: since when, its value, and that in words. */
export type Bar = { at: string; value: number; text: string };

const WIDTH = 10;
const HEIGHT = 60;

/** One bar for each point in time, oldest first; each tells its figure on a closer look. */
export function Bars(props: { bars: readonly Bar[]; kind: string; label: string }): JSX.Element {
  const { bars, kind, label } = props;
  const [highest] = bars.toSorted((one, other) => other.value - one.value);
  const most = highest?.value || 1;
  const since = bars[0] === undefined ? "" : `, since ${bars[0].at}`;
  return (
    <svg
      class={`bars ${kind}`}
      viewBox={`0 0 ${bars.length * WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}${since}, at most ${highest?.text ?? "0"} in a bar`}
    >
      {bars.map(({ at, value, text }, index) => {
        const height = value === 0 ? 1.5 : Math.max(3, (value / most) * HEIGHT);
        return (
          <rect
            x={index * WIDTH + 1}
            y={HEIGHT - height}
            width={WIDTH - 2}
            height={height}
            class={value === 0 ? "none" : ""}
          >
            <title>{`${at}: ${text}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
